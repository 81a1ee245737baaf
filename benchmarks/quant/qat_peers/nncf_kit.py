"""NNCF: its symmetric quantizers with a learned scale, which begins as the largest value of the first batch."""
import lsq
from nncf.common.quantization.structs import QuantizationScheme
from nncf.torch.quantization.layers import PTQuantizerSpec, SymmetricQuantizer

PACKAGE = "nncf"


class Quantizer(SymmetricQuantizer):
    def __init__(self, bits, is_signed):
        super().__init__(PTQuantizerSpec(num_bits=bits, mode=QuantizationScheme.SYMMETRIC, signedness_to_force=is_signed,
                                         narrow_range=False, half_range=False, scale_shape=(1,), logarithm_scale=False))

    def start(self, x):
        self.scale.data.fill_(x.abs().max())


def activation(bits, is_signed):
    return Quantizer(bits, is_signed)


def layer(module, bits):
    return lsq.Layer(module, Quantizer(bits, is_signed=True))


def calibrate(network, images):
    lsq.calibrate(network, images, Quantizer)
