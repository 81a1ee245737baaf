"""Saves a PyTorch network as a .pt2 file, which qbitopt trains: `model: net.pt2` in a sweep.

    python tools/export_network.py torchvision.models:resnet18 --input 3x224x224 -o resnet18.pt2
    python tools/export_network.py my_net.py:make --input 1x28x28 -o net.pt2

NETWORK is `package.module:callable` or `file.py:callable`. Calling it without arguments (or with those of
--arguments) returns the torch.nn.Module, trained or not: its weights are the starting point. It runs with your own
Python and PyTorch (2.8 or newer). The module is exported in evaluation mode, for any batch size; what the file computes
is compared with what the module computes before it is put in its place.
"""

import argparse
import ast
import importlib
import importlib.util
import os
import pathlib
import sys
import tempfile
import warnings

TOLERANCE = 1e-4  # of the largest logit: another order of the same sums


def fail(message):
    sys.exit(f"export_network.py: {message}")


def shape(text):
    try:
        sizes = [int(size) for size in text.lower().split("x")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"expected sizes of one image as in 3x224x224, found '{text}'")
    return sizes


def arguments_of(text):
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if call.args:
            raise ValueError("only name=value is taken")
        return {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"expected values as in 'num_classes=10, width=0.5', found '{text}' ({error})") from error


def find_callable(network):
    place, colon, name = network.rpartition(":")
    if not colon or not place or not name:
        fail(f"expected package.module:callable or file.py:callable, found '{network}'")
    if place.endswith(".py"):
        if not os.path.exists(place):
            fail(f"{place}: no such file")
        sys.path.insert(0, str(pathlib.Path(place).resolve().parent))
        spec = importlib.util.spec_from_file_location(pathlib.Path(place).stem, place)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    else:
        sys.path.insert(0, "")
        try:
            module = importlib.import_module(place)
        except ModuleNotFoundError as error:
            fail(f"{error}; is it installed for {sys.executable}?")
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = [word for word in dir(found) if not word.startswith("_") and callable(getattr(found, word))]
            fail(f"{place} has no '{name}'; it has {', '.join(known[:20])}")
        found = getattr(found, part)
    return found


def make_network(torch, arguments):
    found = find_callable(arguments.network)
    network = found if isinstance(found, torch.nn.Module) else found(**arguments.arguments)
    if not isinstance(network, torch.nn.Module):
        fail(f"{arguments.network} returned {type(network).__name__}; expected a torch.nn.Module")
    if arguments.weights:
        state = torch.load(arguments.weights, map_location="cpu", weights_only=True)
        network.load_state_dict(state.get("state_dict", state))
    return network.cpu().float().eval()


def expect_logits(network, images, torch):
    try:
        with torch.no_grad():
            logits = network(images)
    except Exception as error:  # of very many kinds
        fail(f"the network fails on {images.shape[0]} images of {'x'.join(map(str, images.shape[1:]))}: {error}; it must "
             "take a batch of any size, and --input says the size of one image")
    if not isinstance(logits, torch.Tensor):
        fail(f"the network returns {type(logits).__name__}; expected logits, a tensor [batch, classes]: wrap it in a "
             "module whose forward returns them")
    if logits.dim() != 2 or logits.shape[0] != images.shape[0] or not logits.is_floating_point():
        fail(f"the network returns {list(logits.shape)} for {images.shape[0]} images; expected [batch, classes]")
    return logits


def export(network, images, torch):
    try:
        return torch.export.export(network, (images,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    except Exception as error:  # of very many kinds
        fail(f"torch.export.export cannot export this network for any batch size: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", metavar="NETWORK", help="package.module:callable or file.py:callable")
    parser.add_argument("--input", type=shape, required=True, metavar="CxHxW", help="sizes of one image, 3x224x224")
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path, metavar="FILE.pt2")
    parser.add_argument("--arguments", type=arguments_of, default={}, metavar="NAMES",
                        help="what the callable is given: 'num_classes=10, width=0.5'")
    parser.add_argument("--weights", help="load this state dict into the network (saved by torch.save)")
    arguments = parser.parse_args()
    if not arguments.output.parent.is_dir():
        fail(f"there is no folder {arguments.output.parent} to write to")
    if arguments.output.suffix != ".pt2":
        fail(f"the output must end in .pt2, by which qbitopt knows it; found {arguments.output}")
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # which nothing here needs
    try:
        import torch
    except ModuleNotFoundError:
        fail(f"{sys.executable} has no PyTorch; run it with the Python that your network runs with")
    if tuple(map(int, torch.__version__.split(".")[:2])) < (2, 8):
        fail(f"PyTorch {torch.__version__} writes another kind of file; expected 2.8 or newer")

    network = make_network(torch, arguments)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(3, *arguments.input, generator=generator)
    expected = expect_logits(network, images, torch)
    program = export(network, images[:2], torch)

    # In a folder of its own, because PyTorch writes the file's name into it.
    with tempfile.TemporaryDirectory(dir=arguments.output.parent, prefix=".export-") as folder:
        partial = pathlib.Path(folder) / arguments.output.name
        torch.export.save(program, partial)
        with torch.no_grad():
            difference = (torch.export.load(partial).module()(images) - expected).abs().max().item()
        if not difference <= TOLERANCE * max(1.0, expected.abs().max().item()):
            fail(f"the saved network's logits differ from the module's by {difference:g}; its forward may depend on "
                 "something that an export does not keep (random numbers, values of tensors)")
        os.replace(partial, arguments.output)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print(f"{arguments.output}: {parameters:,} parameters, {expected.shape[1]} classes, images of "
          f"{'x'.join(map(str, arguments.input))}; logits of 3 random images differ by {difference:.1g}")


if __name__ == "__main__":
    main()
