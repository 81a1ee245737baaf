"""LSQ (Esser et al., 2020) as most repositories write it: a chain of operations, each a node of autograd's graph."""
import torch
from torch import nn

PACKAGE = "torch"


class Quantizer(nn.Module):
    def __init__(self, bits, is_signed, per_sample):
        super().__init__()
        self.low = -(1 << (bits - 1)) if is_signed else 0
        self.high = (1 << bits) + self.low - 1
        self.per_sample = per_sample  # an activation
        self.step = nn.Parameter(torch.zeros(()))

    def start(self, x):
        self.step.data.copy_(2 * x.abs().mean() / self.high**0.5)

    def forward(self, x):
        count = x[0].numel() if self.per_sample else x.numel()
        scale = 1 / (count * self.high) ** 0.5
        step = (self.step - self.step * scale).detach() + self.step * scale
        scaled = (x / step).clamp(self.low, self.high)
        return ((scaled.round() - scaled).detach() + scaled) * step


class Layer(nn.Module):
    def __init__(self, layer, quantizer):
        super().__init__()
        self.layer, self.quantizer = layer, quantizer

    def forward(self, x):
        weight = self.quantizer(self.layer.weight)
        if isinstance(self.layer, nn.Linear):
            return nn.functional.linear(x, weight, self.layer.bias)
        return self.layer._conv_forward(x, weight, self.layer.bias)


def activation(bits, is_signed):
    return Quantizer(bits, is_signed, per_sample=True)


def layer(module, bits):
    return Layer(module, Quantizer(bits, is_signed=True, per_sample=False))


def calibrate(network, images, kind=Quantizer):
    """Each quantizer starts from the first tensor that it sees."""
    hooks = [module.register_forward_pre_hook(lambda module, inputs: module.start(inputs[0]))
             for module in network.modules() if isinstance(module, kind)]
    with torch.no_grad():
        network(images)
    for hook in hooks:
        hook.remove()
