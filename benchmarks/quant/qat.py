"""A step of quantization-aware training on the CPU, ours beside others, in one run: `make bench-qat`.

Every subject is a process of its own with the same weights, images, labels, allocator and wait policy; in a round each
takes one step in turn. Ratios are medians over the rounds of the ratios within a round. Writes results/bench/qat.json, in
which it replaces what it has measured. Ends with status 1 if a peer differs from us in parameters, number of quantizers or
the first loss in float32.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = pathlib.Path("results/bench/qat.json")
NETWORKS = {
    "resnet20": {"image": [1, 28, 28], "batch": 128, "classes": 10},
    "resnet18": {"image": [3, 64, 64], "batch": 32, "classes": 1000},
    "mobilenet_v2": {"image": [3, 64, 64], "batch": 32, "classes": 1000},
}
EAGER, FP32, FIT = "PyTorch eager, fp32", "ours, fp32", "ours, quantized, FIT"
# The name of a row -> who takes the step, and as what.
SUBJECTS = {
    EAGER: ("peer", "eager"),
    "PyTorch eager, fp32, channels-last": ("peer", "channels_last"),
    "LSQ as a chain of operations": ("peer", "chain"),
    "LSQ as a chain, torch.compile": ("peer", "compiled_chain"),
    "Brevitas": ("peer", "brevitas"),
    "AIMET": ("peer", "aimet"),
    "NNCF": ("peer", "nncf"),
    FP32: ("ours", "fp32"),
    "ours, quantized": ("ours", "fixed"),
    FIT: ("ours", "qbitopt"),
}
# mallopt of src/worker/main.cpp: freed memory is kept.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
             "MALLOC_TOP_PAD_": str(64 << 20)}
SAME = 1e-5  # relative difference of two losses that counts as none
WARM_UP = 2  # steps, for each number of threads


class Subject:
    """A program that answers one JSON object per line with another."""

    def __init__(self, name, service, caches, network):
        side, self.kind = SUBJECTS[name]
        command = [service] if side == "ours" else [sys.executable, "-W", "ignore", HERE / "qat_peers/serve.py"]
        environment = dict(os.environ, OMP_WAIT_POLICY="PASSIVE", NNCF_EXTENSION_LOAD_TIMEOUT="0",
                           TORCH_EXTENSIONS_DIR=str(caches / "extensions"),
                           TORCHINDUCTOR_COMPILE_THREADS="1", TORCHINDUCTOR_CACHE_DIR=str(caches / "inductor" / network))
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment | ALLOCATOR)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"ended with status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def end(self):
        self.process.kill()
        self.process.wait()


def summary(values):
    """Median, lower and upper quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return median, low, high


def row(name, case, values, unit, reference=None, reference_values=None):
    median, low, high = summary(values)
    ratios = [a / b for a, b in zip(values, reference_values)] if reference else []
    ratio, ratio_low, ratio_high = summary(ratios) if reference else (None, None, None)
    return {"name": name, "case": case, "value": median, "unit": unit, "reference": reference, "ratio": ratio,
            "rounds": len(values), "spread": high - low, "quartiles": [low, high],
            "ratio_quartiles": [ratio_low, ratio_high] if reference else None}


def rows_of(case, steps):
    """steps: per subject, a list with one {"cpu", "wall"} a round, in seconds. CPU time, wall time, and the ratios to us."""
    for clock in ("cpu", "wall"):
        times = {name: [1e3 * step[clock] for step in taken] for name, taken in steps.items()}
        for name, values in times.items():
            is_compared = EAGER in times and name != EAGER
            yield row(f"{name}, {clock} time", case, values, "ms", EAGER if is_compared else None, times.get(EAGER))
    for name, taken in steps.items():
        reference = FP32 if name.startswith("ours") else FIT
        if name not in (FP32, EAGER) and reference in steps:
            # Of CPU time; above 1: slower than the reference.
            ratios = [a["cpu"] / b["cpu"] for a, b in zip(taken, steps[reference])]
            yield row(f"{name} / {reference}", case, ratios, "ratio of cpu time")


def start(names, network, service, caches, threads):
    """Processes that are warm, and what each says of itself. A peer that does not run here is left out, with its error."""
    shape, told = NETWORKS[network], {}
    exporter = Subject(FP32, service, caches, network)
    subjects = {name: Subject(name, service, caches, network) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        content = f"{folder}/content.pt"
        exporter.ask(subject="fp32", network=network, **shape)
        exporter.ask(export=content)
        exporter.end()
        for name in names:
            is_compiled = any((caches / "inductor" / network).glob("*"))  # by an earlier call
            try:
                about = subjects[name].ask(subject=subjects[name].kind, network=network, content=content, **shape)
                for count in threads:
                    first, *_, last = [subjects[name].ask(threads=count) for _ in range(WARM_UP)]
                    about.setdefault("loss", first["loss"])
                    if "compile" in name and not is_compiled:
                        about.setdefault("compiling", {})[count] = first["cpu"] + first["compilers"] - last["cpu"]
            except (RuntimeError, OSError) as error:
                if SUBJECTS[name][0] == "ours":
                    raise
                print(f"{name}: left out, {error}", flush=True)
                subjects.pop(name).end()
                continue
            told[name] = about
    return subjects, told


def differences(told):
    """Prints what each subject trains, and returns what is not as with us."""
    width, found = max(map(len, told)), []
    print(f"  {'':{width}}{'parameters':>12}{'quantizers of weights':>24}{'of activations':>16}{'first loss':>12}")
    for name, about in told.items():
        quantizers, loss = about["quantizers"], about["loss"]
        print(f"  {name:{width}}{about['parameters']:12}{quantizers['weights']:24}{quantizers['activations']:16}{loss:12.6f}")
        reference = told.get(FIT if quantizers["weights"] else FP32, about)
        for key in ("parameters", "quantizers"):
            if about[key] != reference[key]:
                found.append(f"{name}: {key} {about[key]}, ours {reference[key]}")
        # With quantizers it depends on how their ranges begin.
        if not quantizers["weights"] and abs(loss - reference["loss"]) > SAME * reference["loss"]:
            found.append(f"{name}: the first loss is {loss}, ours {reference['loss']}")
    return found


def case_of(common, threads):
    return f"{common}, {threads} thread{'s' if threads > 1 else ''}"


def measure(names, network, service, caches, threads, rounds):
    shape = NETWORKS[network]
    size = "x".join(map(str, shape["image"]))
    common = f"{network}, {size}, batch {shape['batch']}"
    subjects, told = start(names, network, service, caches, threads)
    print(f"\n{common}")
    failures = differences(told)
    rows = []
    taken = {count: {name: [] for name in subjects} for count in threads}
    for _ in range(rounds):
        for count, steps in taken.items():
            for name, subject in subjects.items():
                steps[name].append(subject.ask(threads=count))
    for count, steps in taken.items():
        rows += rows_of(case_of(common, count), steps)
    above = {}
    for name, subject in subjects.items():
        memory = subject.ask(memory=True)
        above[name] = [(memory["peak"] - memory["start"]) / (1 << 20)]
        subject.end()
    for name, values in above.items():
        is_compared = EAGER in above and name != EAGER
        rows.append(row(f"{name}, peak memory above start", common, values, "MiB", EAGER if is_compared else None,
                        above.get(EAGER)))
        rows.append(row(f"{name}, first loss", common, [told[name]["loss"]], "nats"))
        for count, seconds in told[name].get("compiling", {}).items():
            rows.append(row(f"{name}, compiling, cpu time", case_of(common, count), [seconds], "s"))
    versions = {about["version"] for about in told.values()}
    return [line | {"versions": sorted(versions)} for line in rows], failures


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores, {model[1] if model else 'unknown'}"


def show(rows):
    name, case = (max(len(line[key]) for line in rows) + 2 for key in ("name", "case"))
    print(f"\n{'':{name}}{'':{case}}{'median':>10}  {'quartiles':20}{'/ eager':>8}")
    for line in rows:
        low, high = line["quartiles"]
        ratio = f"{line['ratio']:8.3f}" if line["reference"] else " " * 8
        print(f"{line['name']:{name}}{line['case']:{case}}{line['value']:10.4g}  {f'{low:.4g} .. {high:.4g}':20}{ratio}  "
              f"{line['unit']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--service", required=True, help="the program qat_service")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--subjects", default=";".join(SUBJECTS), help="separated by semicolons")
    parser.add_argument("--threads", default="2,1")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--caches", default=".venv-peers/qat", help="where what is compiled is kept")
    arguments = parser.parse_args()
    names, threads = arguments.subjects.split(";"), [int(count) for count in arguments.threads.split(",")]

    failures = []
    for network in arguments.networks.split(","):
        rows, different = measure(names, network, arguments.service, pathlib.Path(arguments.caches).resolve(), threads,
                                  arguments.rounds)
        failures += [f"{network}, {line}" for line in different]
        origin = {"date": datetime.date.today().isoformat(), "machine": machine(), "command": shlex.join(sys.argv)}
        rows = [line | origin for line in rows]
        show(rows)
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        measured = {(line["name"], line["case"]) for line in rows}
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        rows = [line for line in kept if (line["name"], line["case"]) not in measured] + rows
        RESULTS.write_text(json.dumps(rows, indent=2) + "\n")
    print(f"\nwrote {RESULTS}")
    for failure in failures:
        print("FAILED", failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
