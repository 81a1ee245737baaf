# Short verbs over CMake and the qbitopt command; `make help` lists them.
# PRESET: release (default), debug or asan.  JOBS: compilers at once.  PREFIX: where `make install` puts things.
# CMAKE_PREFIX_PATH, TORCH_INDEX: see tools/setup.sh.
PRESET ?= release
JOBS ?= $(shell nproc)
PREFIX ?= $(HOME)/.local
BUILD := $(if $(filter release,$(PRESET)),build,build-$(PRESET))
QBITOPT := $(BUILD)/bin/qbitopt

.PHONY: all help setup configure test test-fast test-slow reproduce bench format check install clean
.DEFAULT_GOAL := all

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## +/\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup:  ## install what is missing, or print the line that does
	@tools/setup.sh

# Another LibTorch than last time needs a fresh configuration: CMake remembers the first one that it found.
configure: setup
	@if ! grep -qsx 'QBITOPT_SEARCHED:INTERNAL=$(CMAKE_PREFIX_PATH)' $(BUILD)/CMakeCache.txt || [ ! -e $(BUILD)/build.ninja ]; then \
	  cmake --preset $(PRESET) --fresh; \
	fi

all: configure  ## build everything
	cmake --build $(BUILD) -j $(JOBS)

test: all  ## build and run the tests (a few minutes)
	ctest --preset $(PRESET) -j $(JOBS) -LE slow

test-fast: all  ## only the unit tests
	ctest --preset $(PRESET) -j $(JOBS) -LE 'slow|normal'

test-slow: all  ## only the slow tests (hours)
	ctest --preset $(PRESET) -L slow

reproduce: configure  ## train sweeps/quick.yaml and print the comparison table (also results/quick.md)
	cmake --build $(BUILD) -j $(JOBS) --target qbitopt_cli qbitopt_worker
	$(QBITOPT) run sweeps/quick.yaml

bench: all  ## measure what the README claims about speed (results/bench/*.json)
	@for program in $(BUILD)/bin/*_benchmark; do echo "== $$(basename $$program)"; $$program || exit 1; done

format:  ## bring all sources into the one format
	git ls-files '*.h' '*.cpp' | xargs clang-format -i

check: configure  ## format, layers and clang-tidy of what changed against main
	tools/check.sh $(BUILD)

install: all  ## programs, libraries, headers and CMake package into PREFIX (~/.local)
	cmake --install $(BUILD) --prefix '$(PREFIX)'

clean:  ## remove what was built; .venv and results stay
	rm -rf build build-debug build-asan .cache
