"""Exports small networks as .pt2 files into FOLDER, for to_onnx_test.cpp: those of graph_networks.py, and these.

    python tests/exporting/networks.py FOLDER
"""

import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import graph_networks  # noqa: E402


class Norms(nn.Module):
    """Batch norms behind layers with and without bias; one that two read; one behind no layer; of two dimensions."""

    def __init__(self):
        super().__init__()
        self.first, self.norm1 = nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6)
        self.second, self.norm2 = nn.Conv2d(6, 6, 3, groups=3, padding=1), nn.BatchNorm2d(6)
        self.third, self.norm3 = nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)
        self.alone = nn.BatchNorm2d(6, affine=False)
        self.fourth, self.norm4 = nn.Linear(6, 8), nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = F.relu(self.norm1(self.first(x)))
        x = F.relu(self.norm2(self.second(x)))
        y = self.third(x)
        x = self.alone(F.relu(self.norm3(y)) + y)
        return self.head(F.relu(self.norm4(self.fourth(x.mean((2, 3))))))


class Shapes(nn.Module):
    """Cutting, joining and turning; a window partition with a cyclic shift; sizes that are computed."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 2, stride=2)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.mix = nn.Linear(8, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = F.pad(self.embed(x), (1, 1, 0, 2), value=0.5)[:, :, :8, 1:9]
        x = torch.roll(x, (-1, 2), (2, 3)).flip(3)
        batch, channels, height, width = x.shape
        x = x.view(batch, channels, height // 4, 4, width // 4, 4).permute(0, 2, 4, 3, 5, 1)
        x = x.reshape(-1, 16, channels)
        x = x + F.softmax(self.mix(x), -1)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)
        a, b, c = x.split([1, 8, 8], 1)
        x = torch.stack([a.squeeze(1), b.mean(1), c.amax(1)], 1).unflatten(0, (-1, 4)).mean(1)
        first, *others = x.unbind(1)
        return self.head(first.unsqueeze(1).repeat(1, 2, 1)[:, 1] + torch.maximum(others[0], others[1]) / 2)


class Masks(nn.Module):
    """A mask that is written piece by piece, as windows with a cyclic shift have it; another one; lengths."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 4, stride=4)
        self.mix = nn.Linear(8, 8)
        self.head = nn.Linear(8, 5)
        self.register_buffer("odd", torch.arange(8) % 2 == 1)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        mask = x.new_zeros((16, 16))
        mask[:8, 8:] = 1
        mask[8:, :8] = 2
        mask = mask.masked_fill(mask != 0, -100.0).masked_fill(mask == 0, 0.0)
        y = F.softmax(x @ x.transpose(1, 2) + mask, -1) @ self.mix(x)
        y = F.normalize(y, dim=-1).masked_fill(self.odd, 0.25)
        return self.head(torch.where(self.odd, y.square(), y).reshape_as(x).mean(1))


class Resized(nn.Module):
    """Ups and downs as in a U-Net: by factors, also of 1.5 on an odd size, and to sizes; in all modes."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.down = nn.Conv2d(6, 8, 4, stride=2)
        self.up = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 6, 3, padding=1))
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        skip = F.relu(self.first(x))
        x = F.relu(self.down(skip))
        x = self.up(x) + F.interpolate(x, scale_factor=1.5, mode="bilinear").mean((1, 2, 3), keepdim=True)
        x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=True) + skip
        x = F.interpolate(x, scale_factor=1.7) - F.interpolate(x, size=(13, 13), mode="bicubic")
        tokens = F.interpolate(x.flatten(2), size=40, mode="linear")
        return self.head(F.interpolate(tokens, scale_factor=0.5).amax(2))


class Products(nn.Module):
    """Einstein sums, and RMS norms with and without weight and epsilon, over one dimension and two."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 4, stride=4)
        self.turn = nn.Parameter(torch.randn(2, 8, 4) / 3)
        self.norm, self.norm2 = nn.RMSNorm(8), nn.RMSNorm((16, 8), eps=1e-3, elementwise_affine=False)
        self.head = nn.Linear(8, 5)
        nn.init.normal_(self.norm.weight)

    def forward(self, x):
        x = self.norm(self.embed(x).flatten(2).transpose(1, 2))
        heads = torch.einsum("bnc,hcd->bhnd", x, self.turn)
        weights = F.softmax(torch.einsum("bhnd, bhmd -> bhnm", heads, heads), -1)
        y = torch.einsum("...nm,...md->...nd", weights, heads)
        return self.head(self.norm2(y.permute(0, 2, 1, 3).flatten(2) + x).mean(1))


class Untranslated(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)
        self.head = nn.Linear(5, 5)

    def forward(self, x):
        return self.head(torch.cumsum(self.conv(x).mean((2, 3)), 1))


class SharedWrite(nn.Module):
    """Writes into a view of what it reads afterwards."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        x = self.conv(x)
        x[:, :3].relu_()
        return self.head(x.mean((2, 3)))


OWN = {
    "norms": Norms,
    "shapes": Shapes,
    "masks": Masks,
    "resized": Resized,
    "products": Products,
    "untranslated": Untranslated,
    "shared_write": SharedWrite,
}
ALL = graph_networks.SMALL | OWN


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    tool = graph_networks.export_tool()
    for name, make in ALL.items():
        graph_networks.write(folder, name, make, 16, tool)


if __name__ == "__main__":
    main()
