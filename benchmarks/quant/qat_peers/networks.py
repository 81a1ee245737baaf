"""The networks of qat.py in PyTorch, with our names of parameters, and where their quantizers sit."""
import torch
import torch.fx
from torch import nn

# torchvision's compiled operations do not load beside a torch of another build; its models need none of them, declared is enough.
library = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    library.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")

import torchvision  # noqa: E402
from torchvision.models.resnet import BasicBlock  # noqa: E402

UNSIGNED = (nn.ReLU, nn.ReLU6)
SEEN_THROUGH = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Dropout, nn.Flatten)


class ResNet20(torchvision.models.ResNet):
    """Of He et al. for small images: three stages of 16, 32 and 64 channels, projections as shortcuts."""

    def __init__(self, num_classes):
        super().__init__(BasicBlock, [1, 1, 1, 1], num_classes)
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.maxpool = self.layer4 = nn.Identity()
        self.inplanes = 16
        self.layer1 = self._make_layer(BasicBlock, 16, 3)
        self.layer2 = self._make_layer(BasicBlock, 32, 3, stride=2)
        self.layer3 = self._make_layer(BasicBlock, 64, 3, stride=2)
        self.fc = nn.Linear(64, num_classes)


def make(name, classes):
    networks = {"resnet20": ResNet20, "resnet18": torchvision.models.resnet18,
                "mobilenet_v2": torchvision.models.mobilenet_v2}
    return networks[name](num_classes=classes)


def is_signed(node, modules):
    """Whether values below 0 may come from a node of the graph."""
    if node.op == "call_module" and isinstance(modules[node.target], UNSIGNED):
        return False
    seen_through = (isinstance(modules[node.target], SEEN_THROUGH) if node.op == "call_module"
                    else node.target in (torch.flatten, nn.functional.adaptive_avg_pool2d))
    return is_signed(node.args[0], modules) if seen_through else True


def quantize(network, kit):
    """Puts kit.activation(bits, is_signed) before and kit.layer(module, bits) in place of each convolution and linear layer.

    4 bits; 8 for the first and the last layer. A tensor that several layers read has one quantizer. -> network, counts
    """
    traced = torch.fx.symbolic_trace(network)
    modules = dict(traced.named_modules())
    layers = [node for node in traced.graph.nodes
              if node.op == "call_module" and isinstance(modules[node.target], (nn.Conv2d, nn.Linear))]
    ends = layers[0], layers[-1]
    inputs = {}
    for node in layers:
        source, bits = node.args[0], 8 if node in ends else 4
        if source not in inputs:
            name = f"input_quantizer{len(inputs)}"
            traced.add_submodule(name, kit.activation(bits, is_signed(source, modules)))
            with traced.graph.inserting_after(source):
                inputs[source] = traced.graph.call_module(name, (source,))
        node.replace_input_with(source, inputs[source])
        traced.add_submodule(node.target, kit.layer(modules[node.target], bits))
    traced.recompile()
    return traced, {"weights": len(layers), "activations": len(inputs)}
