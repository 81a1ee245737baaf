"""Trains networks for a few steps at mixed bits, exports them and holds what others compute against our logits.

    python tests/exporting/check_export.py build/bin/qbitopt FOLDER [NETWORK ...] [--real FOLDER]    (make check-export)

Networks are small modules and torchvision's, as .pt2 files, with random weights. Each is trained at random bits between
2 and 8 with 4 on average (6 in three deep networks), one range a tensor; and at 4 bits with one range a channel on the
symmetric grid. Every network is exported in every format and run on 32 test images: by onnxruntime with and without its
optimizations, QONNX's by qonnx.

A sum in another order can move a value across the boundary between two codes, and everything behind it then moves by
steps of its grid; an error in the export looks alike. So each file is also run cut at its quantizers (run_onnx.py): every
layer reads the codes that we computed. Then every top-1 class and all logits must be ours within TOLERANCE, and each code
that differs must be the neighbor of ours, of a value that lies within BORDER steps of the boundary between the two. Runs
as a whole must also fit for the small modules, and are shown for the others. With --real, EfficientNet-Lite0 with its
published weights must name three photographs, too.
"""

import argparse
import json
import os
import pathlib
import shutil
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

# Of what runtimes compute as a whole, which must fit; "default" is shown only, as run_onnx.py says why.
HELD = ("plain", "optimized", "qonnx")
# Of the largest logit: of small modules as a whole, and of all networks whose layers read our codes.
TOLERANCE = 1e-5
# Steps of a quantizer's grid.
BORDER = 1e-3
CLASSES = 10


def vision(name, **options):
    return lambda: getattr(torchvision.models, name)(num_classes=CLASSES, **options)


# name -> maker, image size, steps of training in float32 and quantized
NETWORKS = {
    "resnet18": (vision("resnet18"), 32, 40, 10),
    "resnet50": (vision("resnet50"), 32, 40, 4),
    "mobilenet_v2": (vision("mobilenet_v2"), 32, 40, 10),
    "mobilenet_v3_small": (vision("mobilenet_v3_small"), 32, 40, 10),
    "convnext_tiny": (vision("convnext_tiny"), 32, 6, 3),
    "vit_b_16": (vision("vit_b_16", image_size=32), 32, 4, 2),
}
# These diverge or collapse easily. At few bits, channels of their 1x1 feature maps are the same for a few images: gradients
# explode where a batch norm divides by such a variance, and its running statistics are far off.
FROZEN = {"resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_small"}
GENTLE = FROZEN - {"mobilenet_v2"}
MORE = "  batch_norm: {freeze_at: 0}\n"
# Largest deviation of a logit over the images, of the largest logit: networks that answer alike whatever they see show nothing.
LEAST_SPREAD = 0.01
SMALL = {
    "branches",
    "masks",
    "attention",
    "own_attention",
    "mixer",
    "norms",
    "products",
    "resized",
    "shapes",
    "transposed",
}

SWEEP = """qbitopt: 1
name: {name}
set:
  model: {name}.pt2
  data: {{name: synthetic, classes: {classes}, image_channels: 3, image_size: {size}, train_images: 512,
         validation_images: 32, test_images: 32}}
  weights.train: true
  pretraining: {{steps: {pretraining}, batch_size: {batch}, learning_rate: {pretraining_rate}}}
  training: {{steps: {steps}, batch_size: 8, learning_rate: {rate}}}
  calibration: {{batches: 1, batch_size: 8}}
{more}seeds: 1
cases:
  mixed:    {{set: {{method: random_allocation, budget.average_bits: {average}}}}}
  channels: {{set: {{method: fixed_precision, budget.average_bits: 4, quantizers.per_channel_weights: true,
                   quantizers.signed_grid: symmetric}}}}
"""

# file -> class, index
PHOTOGRAPHS = {
    "chelsea.png": ("n02124075", 285),
    "coffee.png": ("n07920052", 967),
    "rocket.jpg": ("n03773504", 657),
}
REAL_SWEEP = """qbitopt: 1
name: real
extends: {experiments}/imagenet/efficientnet_lite0.yaml
set:
  device: cpu
  weights.root: {weights}
  data: {{root: photographs, threads: 0}}
  pretraining.batch_size: 6
  calibration: {{batches: 2, batch_size: 6}}
  batch_norm: {{freeze_at: 0, reestimate_batches: 0}}
cases:
  fp32:  {{set: {{method: fp32}}}}
  eight: {{set: {{method: fixed_precision, budget.average_bits: 8}}}}
  mixed: {{set: {{method: random_allocation, budget.average_bits: 4}}}}
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


def take_statistics(network, size):
    """Of batch norms that would hardly learn them in so few steps."""
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    slow = {module: module.momentum for module in norms if module.momentum is not None and module.momentum < 0.1}
    if not slow:
        return
    for module in slow:
        module.reset_running_stats()
        module.momentum = None  # the mean over all batches
    network.train()
    with torch.no_grad():
        for _ in range(4):
            network(torch.randn(32, 3, size, size))
    for module, momentum in slow.items():
        module.momentum = momentum
    network.eval()


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
        make, size, pretraining, steps = NETWORKS.get(name) or (networks.ALL[name], 16, 100, 50)
        classes = CLASSES if name in NETWORKS else 5
        self.save(name, make, size)
        is_gentle = name in GENTLE
        sweep = SWEEP.format(
            name=name, size=size, classes=classes, steps=steps, pretraining=pretraining,
            batch=16 if is_gentle else 8, pretraining_rate=0.002 if is_gentle else 0.02,
            rate=0.0001 if name in NETWORKS else 0.001, more=MORE if name in FROZEN else "",
            average=6 if is_gentle else 4,  # at fewer, few values get through so many layers that were hardly trained
        )  # fmt: skip
        (self.folder / f"{name}.yaml").write_text(sweep)
        self.run("run", f"{name}.yaml", "--db", f"{name}.db", "--quiet")
        for job in json.loads(self.run("ls", "--db", f"{name}.db", "--json")):
            if job["method"] != "fp32":
                self.job(name, job)

    def save(self, name, make, size):
        torch.manual_seed(1)
        network = graph_networks.prepare(make(), torch.Generator().manual_seed(5))
        take_statistics(network, size)
        tool = graph_networks.export_tool()
        tool.find_callable = lambda _: network
        sys.argv = ["export_network.py", name, "--input", f"3x{size}x{size}", "-o", str(self.folder / f"{name}.pt2")]
        tool.main()

    def job(self, name, job):
        for format, options in FORMATS.items():
            file = f"{name}.{job['method']}.{format.replace(' ', '_')}"
            examples = f"{name}.{job['method']}.examples"
            self.run("export-network", job["job"], "--db", f"{name}.db", "-o", f"{file}.onnx", "--examples", examples,
                     "--codes", *options)  # fmt: skip
            if format == "integers":
                self.weight_bytes(name, job, self.folder / f"{file}.onnx")
            elif format == "aimet":
                self.encodings(self.folder / f"{file}.onnx", self.folder / f"{file}.encodings")
            else:
                self.logits(name, job, format, file, examples)

    def logits(self, name, job, format, file, examples):
        results = run_onnx.check(str(self.folder / f"{file}.onnx"), str(self.folder / examples))
        is_small = name in SMALL
        logits = run_onnx.read_safetensors(self.folder / examples)[0]["logits"]
        spread = logits.std(0).max() / abs(logits).max()
        if spread < LEAST_SPREAD:
            self.faults.append(f"{file}: our logits deviate by {spread:.1e} of the largest; the network answers alike to all images")
        for how, result in results.items():
            if how == "file":
                continue
            is_forced = how.startswith("forced")
            top1, images, difference, close = (result[key] for key in ("top1", "images", "difference", "close"))
            text = f"{name:20} {job['method']:20} {format:10} {how:16} {top1:3} of {images:2}  {difference:.1e}  {close:2} close"
            if is_forced:
                text += "  {crossed} of {codes} codes crossed, within {furthest:.1e}".format(**result)
            print(text, flush=True)
            worst = self.worst.setdefault((is_small, how), {"difference": 0, "images": 0, "top1": 0, "close": 0, "crossed": 0,
                                                            "codes": 0, "furthest": 0})  # fmt: skip
            for key in worst:
                merge = max if key in ("difference", "furthest") else int.__add__
                worst[key] = merge(worst[key], result.get(key, 0))
            if not is_forced and not (is_small and how in HELD):
                continue
            fits = top1 == images and difference <= TOLERANCE
            if is_forced:
                fits = fits and result["jumps"] == 0 and result["furthest"] <= BORDER
            if not fits:
                self.faults.append(f"{file} {how}: {result}")

    def real(self, folder):
        """EfficientNet-Lite0 with its published weights, at 8 bits and at mixed ones, on photographs."""
        for photograph, (wnid, _) in PHOTOGRAPHS.items():
            for half in ("train", "val"):
                to = self.folder / "photographs" / half / wnid
                to.mkdir(parents=True, exist_ok=True)
                for copy in range(4 if half == "train" else 1):
                    shutil.copyfile(folder / photograph, to / f"{copy}{photograph}")
        (self.folder / "real.yaml").write_text(REAL_SWEEP.format(experiments=ROOT / "experiments", weights=folder.resolve()))
        # As the recipe chooses these by model, they are given here.
        training = ["training.epochs=0", "training.steps=1", "training.batch_size=6", "training.learning_rate=0.000001"]
        self.run("run", "real.yaml", "--db", "real.db", "--quiet", "data.resize=256", *training)
        for job in json.loads(self.run("ls", "--db", "real.db", "--json")):
            file, examples = f"real.{job['method']}", f"real.{job['method']}.examples"
            self.run("export-network", job["job"], "--db", "real.db", "-o", f"{file}.onnx", "--examples", examples, "--codes")
            self.logits("efficientnet_lite0", job, "onnx", file, examples)
            if job["method"] == "random_allocation":
                continue  # at few bits it names nothing before it has been trained
            images = run_onnx.read_safetensors(self.folder / examples)[0]["images"].copy()
            for how in ("plain", "optimized"):
                logits = run_onnx.by_onnxruntime(run_onnx.onnx.load(self.folder / f"{file}.onnx"), images, how)
                found, expected = sorted(logits.argmax(1)), sorted(index for _, index in PHOTOGRAPHS.values())
                if found != expected:
                    self.faults.append(f"{file} {how}: names the classes {found}, not {expected}")

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
    parser.add_argument("--real", type=pathlib.Path, help="folder with EfficientNet-Lite0's weights and photographs")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for file in arguments.folder.glob("*.db*"):
        os.remove(file)
    check = Check(arguments.program, arguments.folder)
    if arguments.real:
        check.real(arguments.real)
    for name in arguments.networks:
        check.network(name)
    for (is_small, how), worst in check.worst.items():
        print("{} networks, {}: up to {difference:.1e}, {top1} of {images} classes, {close} images close, {crossed} of {codes} "
              "codes crossed, within {furthest:.1e} steps".format("small" if is_small else "deep", how, **worst))  # fmt: skip
    if check.faults:
        sys.exit("\n".join(["does not fit:", *check.faults]))


if __name__ == "__main__":
    main()
