"""Writes what torchvision and timm compute, for our models to be held against.

    make originals                       # installs them into .venv-peers, runs this and the test
    python tests/models/originals.py --fixtures tests/models/originals     # the small committed ones
    python tests/models/originals.py --cases FOLDER     # for QBITOPT_ORIGINALS=FOLDER torch_tests

A fixture, <model>.txt, says: `tensor <name> <sizes>` for every entry of the state dict, `parameters <count>`,
and `logit <index> <value>` for the formula weights and the formula image (see formula_values), so that names,
shapes, counts and the arithmetic are held without Python. A case, <model>.safetensors, holds random weights
("weights." + name), images, logits in evaluation, and loss gradients in training ("gradients." + name).
"""

import argparse
import pathlib

import torch

# torchvision's compiled operations do not load beside a LibTorch of another build; its models need none of them.
register_fake = torch.library.register_fake


def register_all_but_torchvision(name, *arguments, **options):
    if isinstance(name, str) and name.startswith("torchvision::"):
        return lambda function: function
    return register_fake(name, *arguments, **options)


torch.library.register_fake = register_all_but_torchvision

import timm  # noqa: E402
import torchvision  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

MODELS = {
    "resnet18": torchvision.models.resnet18,
    "resnet50": torchvision.models.resnet50,
    "mobilenet_v2": torchvision.models.mobilenet_v2,
    "mobilenet_v3_small": torchvision.models.mobilenet_v3_small,
    "efficientnet_lite0": lambda: timm.create_model("efficientnet_lite0"),
}


def formula_values(count, sequence):
    """Additive recurrence in [0, 1): value i of tensor `sequence` (R1 and R2 of M. Roberts, 2018)."""
    i = torch.arange(1, count + 1, dtype=torch.float64)
    return torch.frac(i * 0.6180339887498949 + sequence * 0.7548776662466927)


def fill_by_formula(model):
    with torch.no_grad():
        for sequence, (name, tensor) in enumerate(sorted(model.state_dict().items())):
            if not tensor.is_floating_point():
                continue
            u = formula_values(tensor.numel(), sequence).reshape(tensor.shape)
            if tensor.dim() > 1:
                fan_in = tensor[0].numel()
                value = (2 * u - 1) * (6 / fan_in) ** 0.5
            elif name.endswith("running_var"):
                value = 0.5 + u
            elif name.endswith("weight"):
                value = 0.75 + u / 2
            else:
                value = (2 * u - 1) / 10
            tensor.copy_(value)


def fill_at_random(model, generator):
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            if name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight")):
                tensor.copy_(noise.abs() * 0.3 + 0.7)
            elif tensor.dim() == 1:
                tensor.copy_(noise * 0.1)
            else:
                tensor.copy_(noise * (2 / tensor[0].numel()) ** 0.5)


def without_dropout(model):
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def write_fixture(folder, name, make):
    model = make().eval()
    fill_by_formula(model)
    image = (2 * formula_values(3 * 64 * 64, -1) - 1).reshape(1, 3, 64, 64).float()
    # In double precision, whose six digits are the same on every machine.
    with torch.no_grad():
        logits = model.double()(image.double())[0]
    lines = [f"tensor {key} {' '.join(map(str, value.shape))}".rstrip() for key, value in model.state_dict().items()]
    lines.append(f"parameters {sum(p.numel() for p in model.parameters())}")
    lines += [f"logit {i} {logits[i].item():.6g}" for i in range(0, 1000, 125)]
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")


def write_case(folder, name, make):
    generator = torch.Generator().manual_seed(5)
    model = without_dropout(make())
    fill_at_random(model, generator)
    images = torch.randn(4, 3, 96, 96, generator=generator)
    labels = torch.tensor([3, 1, 4, 1])
    content = {f"weights.{key}": value.clone() for key, value in model.state_dict().items()}
    torch.save(model.state_dict(), folder / f"{name}.pth")
    model.eval()
    with torch.no_grad():
        content["logits"] = model(images)
    # In double precision: in single, what rounds otherwise in a convolution grows through 50 batch norms over 4 images.
    model.train().double()
    torch.nn.functional.cross_entropy(model(images.double()), labels).backward()
    content |= {f"gradients.{key}": value.grad for key, value in model.named_parameters()}
    content |= {"images": images, "labels": labels}
    save_file({key: value.contiguous() for key, value in content.items()}, folder / f"{name}.safetensors")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fixtures", type=pathlib.Path)
    parser.add_argument("--cases", type=pathlib.Path)
    arguments = parser.parse_args()
    for folder, write in ((arguments.fixtures, write_fixture), (arguments.cases, write_case)):
        if folder is None:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        for name, make in MODELS.items():
            write(folder, name, make)


if __name__ == "__main__":
    main()
