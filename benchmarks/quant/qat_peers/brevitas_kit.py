"""Brevitas: learned scales, one a tensor, which begin as statistics."""
import brevitas.nn as qnn
import torch
from brevitas.inject.enum import ScalingImplType
from brevitas.quant import Int8ActPerTensorFloat, Int8WeightPerTensorFloat, Uint8ActPerTensorFloat
from torch import nn

PACKAGE = "brevitas"


class Weight(Int8WeightPerTensorFloat):
    scaling_impl_type = ScalingImplType.PARAMETER_FROM_STATS


# While it collects statistics (300 steps by default), a step is slower than afterwards.
class Signed(Int8ActPerTensorFloat):
    collect_stats_steps = 1


class Unsigned(Uint8ActPerTensorFloat):
    collect_stats_steps = 1


def activation(bits, is_signed):
    return qnn.QuantIdentity(act_quant=Signed if is_signed else Unsigned, bit_width=bits)


def layer(module, bits):
    options = {"weight_quant": Weight, "weight_bit_width": bits, "bias": module.bias is not None}
    if isinstance(module, nn.Linear):
        quantized = qnn.QuantLinear(module.in_features, module.out_features, **options)
    else:
        quantized = qnn.QuantConv2d(module.in_channels, module.out_channels, module.kernel_size, stride=module.stride,
                                    padding=module.padding, groups=module.groups, **options)
    quantized.load_state_dict(module.state_dict(), strict=False)
    return quantized


def calibrate(network, images):
    with torch.no_grad():
        for _ in range(3):
            network(images)
