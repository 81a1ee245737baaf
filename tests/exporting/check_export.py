"""Trains networks for a few steps at mixed bits, exports them and holds what others compute against our logits.

    python tests/exporting/check_export.py build/bin/qbitopt FOLDER [NETWORK ...]        (make check-export)

Networks are small modules and torchvision's, as .pt2 files, with random weights. Each is trained at random bits between
2 and 8 with 4 on average, one range a tensor; and at 4 bits with one range a channel on the symmetric grid. Every
network is exported in every format and run on 32 test images: by onnxruntime with and without its optimizations, QONNX's
by qonnx (four images). Prints the differences and fails if a top-1 class differs or a logit is off by more than the tolerances.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import torch

# torchvision's compiled operations do not load beside a LibTorch of another build; its models need none of them.
register_fake = torch.library.register_fake
torch.library.register_fake = lambda name, *rest, **options: (
    (lambda function: function) if str(name).startswith("torchvision::") else register_fake(name, *rest, **options)
)

import torchvision  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/exporting"), str(ROOT / "tests/models")]
import graph_networks  # noqa: E402
import networks  # noqa: E402
import run_onnx  # noqa: E402

# Of the largest logit. None: shown only, as run_onnx.py says why. A value that crosses the boundary between two codes, as
# a sum in another order can make it, moves everything behind it by steps of its grid, and fails this.
TOLERANCES = {"plain": 1e-4, "optimized": 1e-4, "default": None, "qonnx": 1e-4}
CLASSES = 10


def vision(name, **options):
    return lambda: getattr(torchvision.models, name)(num_classes=CLASSES, **options)


# name -> maker, image size, steps of training
NETWORKS = {
    "resnet18": (vision("resnet18"), 32, 10),
    "mobilenet_v2": (vision("mobilenet_v2"), 32, 10),
    "mobilenet_v3_small": (vision("mobilenet_v3_small"), 32, 10),
    "convnext_tiny": (vision("convnext_tiny"), 32, 3),
    "vit_b_16": (vision("vit_b_16", image_size=32), 32, 2),
}
SMALL = {"branches", "masks", "attention", "own_attention", "mixer", "norms", "shapes", "transposed"}

SWEEP = """qbitopt: 1
name: {name}
set:
  model: {name}.pt2
  data: {{name: synthetic, classes: {classes}, image_channels: 3, image_size: {size}, train_images: 512,
         validation_images: 32, test_images: 32}}
  weights.train: true
  pretraining: {{steps: {pretraining}, batch_size: 8, learning_rate: 0.02}}
  training: {{steps: {steps}, batch_size: 8, learning_rate: 0.005}}
  calibration: {{batches: 1, batch_size: 8}}
seeds: 1
cases:
  mixed:    {{set: {{method: random_allocation, budget.average_bits: 4}}}}
  channels: {{set: {{method: fixed_precision, budget.average_bits: 4, quantizers.per_channel_weights: true,
                   quantizers.signed_grid: symmetric}}}}
"""

# name -> options of export-network
FORMATS = {
    "onnx": [],
    "unfolded": ["--no-fold"],
    "opset 21": ["--opset", "21"],
    "qonnx": ["--format", "qonnx"],
    "aimet": ["--format", "aimet"],
    "integers": ["--format", "safetensors"],
}


class Check:
    def __init__(self, program, folder):
        self.program, self.folder = pathlib.Path(program).resolve(), folder
        self.worst, self.faults = {}, []

    def run(self, *words):
        done = subprocess.run([self.program, *words], cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"qbitopt {' '.join(map(str, words))}: status {done.returncode}\n{done.stderr}")
        return done.stdout

    def network(self, name):
        make, size, steps = NETWORKS.get(name) or (networks.ALL[name], 16, 50)
        classes = CLASSES if name in NETWORKS else 5
        self.save(name, make, size)
        sweep = SWEEP.format(name=name, size=size, classes=classes, steps=steps, pretraining=2 * steps)
        (self.folder / f"{name}.yaml").write_text(sweep)
        self.run("run", f"{name}.yaml", "--db", f"{name}.db", "--quiet")
        for job in json.loads(self.run("ls", "--db", f"{name}.db", "--json")):
            if job["method"] != "fp32":
                self.job(name, job)

    def save(self, name, make, size):
        torch.manual_seed(1)
        network = graph_networks.prepare(make(), torch.Generator().manual_seed(5))
        tool = graph_networks.export_tool()
        tool.find_callable = lambda _: network
        sys.argv = ["export_network.py", name, "--input", f"3x{size}x{size}", "-o", str(self.folder / f"{name}.pt2")]
        tool.main()

    def job(self, name, job):
        for format, options in FORMATS.items():
            file = f"{name}.{job['method']}.{format.replace(' ', '_')}"
            examples = f"{name}.{job['method']}.examples"
            self.run("export-network", job["job"], "--db", f"{name}.db", "-o", f"{file}.onnx", "--examples", examples,
                     *options)  # fmt: skip
            if format == "integers":
                self.weight_bytes(name, job, self.folder / f"{file}.onnx")
            elif format == "aimet":
                self.encodings(self.folder / f"{file}.onnx", self.folder / f"{file}.encodings")
            else:
                self.logits(name, job, format, file, examples)

    def logits(self, name, job, format, file, examples):
        result = run_onnx.check(str(self.folder / f"{file}.onnx"), str(self.folder / examples))
        for how, tolerance in TOLERANCES.items():
            if how not in result:
                continue
            top1, images, difference = (result[how][key] for key in ("top1", "images", "difference"))
            print(f"{name:20} {job['method']:20} {format:10} {how:10} {top1:3} of {images:2}  {difference:.1e}", flush=True)
            self.worst[how] = max(self.worst.get(how, 0), difference)
            if tolerance and (top1 != images or not difference <= tolerance):
                self.faults.append(f"{file} {how}: {result[how]}")

    def weight_bytes(self, name, job, file):
        _, metadata = run_onnx.read_safetensors(file)
        sql = f"SELECT weight_bytes FROM runs WHERE job = '{job['job']}'"
        (row,) = json.loads(self.run("sql", sql, "--db", f"{name}.db", "--json"))
        if int(metadata["weight_bytes"]) != row["weight_bytes"]:
            self.faults.append(f"{file}: {metadata['weight_bytes']} bytes, the table says {row['weight_bytes']}")

    def encodings(self, model, file):
        """Every encoding names a tensor of the model."""
        graph = run_onnx.onnx.load(model).graph
        known = {tensor.name for tensor in graph.initializer} | {output for node in graph.node for output in node.output}
        content = json.loads(file.read_text())
        for entry in content["activation_encodings"] + content["param_encodings"]:
            if entry["name"] not in known:
                self.faults.append(f"{file}: the model has no tensor '{entry['name']}'")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("networks", nargs="*", default=sorted(SMALL) + list(NETWORKS))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for file in arguments.folder.glob("*.db*"):
        os.remove(file)
    check = Check(arguments.program, arguments.folder)
    for name in arguments.networks:
        check.network(name)
    print("largest differences:", ", ".join(f"{how} {value:.1e}" for how, value in check.worst.items()))
    if check.faults:
        sys.exit("\n".join(["does not fit:", *check.faults]))


if __name__ == "__main__":
    main()
