"""AIMET: its quantizers with learned minimum and maximum, which begin as those of the first batch."""
import contextlib

import torch

PACKAGE = "aimet-torch"

import networks  # noqa: F401  (makes torchvision load, which AIMET imports)
from aimet_torch.v2.nn import QuantizationMixin
from aimet_torch.v2.quantization.affine import QuantizeDequantize


def activation(bits, is_signed):
    return QuantizeDequantize(shape=(), bitwidth=bits, symmetric=is_signed)


def layer(module, bits):
    quantized = QuantizationMixin.from_module(module)
    quantized.param_quantizers["weight"] = QuantizeDequantize(shape=(), bitwidth=bits, symmetric=True)
    return quantized


def calibrate(network, images):
    with contextlib.ExitStack() as stack, torch.no_grad():
        for module in network.modules():
            if isinstance(module, QuantizeDequantize):
                stack.enter_context(module.compute_encodings())
            elif isinstance(module, QuantizationMixin):
                stack.enter_context(module.compute_encodings())
        network(images)
