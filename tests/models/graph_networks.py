"""Exports networks as .pt2 files and writes what PyTorch computes with them, for graph_network_test.cpp.

    python tests/models/graph_networks.py FOLDER                 # small modules of torch.nn
    python tests/models/graph_networks.py FOLDER --originals [NAME ...]     # of torchvision and timm (make originals)

For each network: <name>.pt2, made by tools/export_network.py, and <name>.pth with images, labels, logits in evaluation
and in training mode, and there "gradients." + name and "buffers." + name after one step. In double precision: in single,
what rounds otherwise grows through many batch norms over few images. Dropout has probability 0, so that both can agree.
"""

import argparse
import importlib.util
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Branches(nn.Module):
    """Depthwise and grouped convolutions, concatenation, channel shuffle, a residual sum in place."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(True))
        self.left = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.GroupNorm(2, 4), nn.PReLU(4))
        self.right = nn.Sequential(nn.Conv2d(4, 4, 1, groups=2), nn.BatchNorm2d(4), nn.Hardswish(True))
        self.gate = nn.Conv2d(8, 8, 1)
        self.shuffle = nn.ChannelShuffle(2)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        left, right = x.chunk(2, 1)
        y = self.shuffle(torch.cat([self.left(left), self.right(right)], 1))
        y = y * F.hardsigmoid(self.gate(F.adaptive_avg_pool2d(y, 1)))
        y += x
        return self.head(F.max_pool2d(y, 2).mean((2, 3)))


class Attention(nn.Module):
    """A transformer with a class token, positions, nn.MultiheadAttention and dropout."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.positions = nn.Parameter(torch.randn(1, 17, 16) * 0.1)
        self.norm1, self.norm2, self.norm = nn.LayerNorm(16), nn.LayerNorm(16), nn.LayerNorm(16)
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Dropout(0.0), nn.Linear(32, 16))
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        x = x + self.mlp(self.norm2(x))
        return self.head(self.norm(x)[:, 0])


class OwnAttention(nn.Module):
    """Heads by view and permute, scaled_dot_product_attention, and the same written out; sizes are computed."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(12, 16)
        self.qkv = nn.Linear(16, 48, bias=False)
        self.out = nn.Linear(16, 16)
        self.head = nn.Linear(16, 5)
        self.register_buffer("order", torch.arange(64).flip(0), persistent=False)

    def forward(self, x):
        batch = x.shape[0]
        x = F.pixel_unshuffle(x, 2).permute(0, 2, 3, 1).reshape(batch, 64, 12)[:, self.order]
        x = F.silu(self.embed(x))
        q, k, v = self.qkv(x).view(batch, 64, 3, 4, 4).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v)
        z = torch.softmax(q @ k.transpose(-2, -1) * 0.5, -1) @ v
        y = (y - 0.5 * z).transpose(1, 2).reshape(batch * 64, 16)
        return self.head(self.out(y).view(batch, 64, 16).mean(1))


class Mixer(nn.Module):
    """Linear layers over patches and over channels; BatchNorm1d; one layer called twice; tied weights."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.tokens = nn.Linear(16, 16)
        self.channels = nn.Linear(8, 8)
        self.again = nn.Linear(8, 8)
        self.again.weight = self.channels.weight
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2)
        x = x + F.relu(self.tokens(x))
        x = x + self.tokens(self.norm(x))
        x = x.transpose(1, 2)
        return self.head(self.again(F.gelu(self.channels(x))).amax(1) * 2 + 1)


class Transposed(nn.Module):
    """Convolutions in one dimension and transposed ones; average pooling; scalars; padding 'same'."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 6, 3, padding="same")
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2, groups=2)
        self.norm = nn.BatchNorm2d(4, momentum=None)
        self.line = nn.Conv1d(4, 4, 3, padding=1)
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        x = self.up(F.avg_pool2d(F.leaky_relu(self.down(x) + 0.5, 0.2), 2))
        x = torch.tanh(self.norm(x)).clamp(min=0)
        return self.head(self.line(x.flatten(2)[:, :, ::3]).mean(-1))


class Narrow(nn.Module):
    """1x1 convolutions of few channels with a stride; weights that a batch norm without statistics normalizes."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.short = nn.Conv2d(4, 8, 1, stride=2, bias=False)
        self.weight = nn.Parameter(torch.randn(8, 4, 3, 3))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = F.relu(self.stem(x))
        weight = F.batch_norm(self.weight.reshape(1, 8, -1), None, None, training=True, momentum=0.0)
        y = F.conv2d(x, weight.reshape_as(self.weight), stride=2, padding=1)
        return self.head(F.relu(y + self.short(x)).mean((2, 3)))


class Subgraphs(nn.Module):
    """Parts without autocast and without gradients, which torch.export keeps as subgraphs."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=2)
        self.mix = nn.Linear(6, 6)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        x = F.relu(self.conv(x))
        with torch.autocast("cpu", enabled=False):
            y = self.mix(x.mean((2, 3)))
            z = torch.tanh(y)
        with torch.no_grad():
            scale = 1 / (1 + x.amax((1, 2, 3)))
        return self.head((y + z) * scale.unsqueeze(1))


SMALL = {
    "subgraphs": Subgraphs,
    "narrow": Narrow,
    "branches": Branches,
    "attention": Attention,
    "own_attention": OwnAttention,
    "mixer": Mixer,
    "transposed": Transposed,
}


def originals():
    sys.path.insert(0, str(ROOT / "tests/models"))
    import originals as own  # takes torchvision and timm in

    vision, timm = own.torchvision.models, own.timm
    names = ["resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0",
             "regnet_y_400mf", "convnext_tiny"]  # fmt: skip
    makers = {name: getattr(vision, name) for name in names}
    makers["vit_b_16"] = lambda: vision.vit_b_16(image_size=64)
    for name in ("mobilenetv4_conv_small", "efficientnet_lite0"):
        makers["timm_" + name] = lambda name=name: timm.create_model(name)
    return makers


def export_tool():
    spec = importlib.util.spec_from_file_location("export_network", ROOT / "tools/export_network.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def prepare(network, generator):
    """Random weights that keep values in range through many layers, and no randomness in training mode."""
    for module in network.modules():
        if isinstance(module, (nn.Dropout, nn.MultiheadAttention)):
            setattr(module, "p" if isinstance(module, nn.Dropout) else "dropout", 0.0)
        elif type(module).__name__ in ("StochasticDepth", "DropPath"):
            module.forward = lambda x: x
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point() and tensor.dim() < 2 and "layer_scale" not in name:
                noise = torch.rand(tensor.shape, generator=generator)
                is_scale = name.endswith(("weight", "running_var"))
                tensor.copy_(0.7 + 0.6 * noise if is_scale else 0.2 * noise - 0.1)
    return network


MADE = {}


def write(folder, name, make, size, tool):
    torch.manual_seed(3)
    generator = torch.Generator().manual_seed(5)
    network = prepare(make(), generator)
    MADE[name] = network
    sys.argv = ["export_network.py", f"graph_networks:{name}", "--input", f"3x{size}x{size}", "-o",
                str(folder / f"{name}.pt2")]  # fmt: skip
    tool.find_callable = lambda network: MADE[network.partition(":")[2]]
    tool.main()
    images = torch.randn(4, 3, size, size, generator=generator)
    labels = torch.tensor([3, 1, 4, 1])
    network.eval().double()
    with torch.no_grad():
        content = {"images": images, "labels": labels, "check.evaluation": network(images.double())}
    network.train()
    logits = network(images.double())
    F.cross_entropy(logits, labels).backward()
    content["check.training"] = logits.detach()
    content |= {f"gradients.{key}": value.grad for key, value in network.named_parameters() if value.grad is not None}
    content |= {f"buffers.{key}": value for key, value in network.named_buffers() if key in network.state_dict()}
    torch.save({key: value.contiguous() for key, value in content.items()}, folder / f"{name}.pth")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help="only these networks")
    parser.add_argument("--originals", action="store_true")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    tool = export_tool()
    makers, size = (originals(), 64) if arguments.originals else (SMALL, 16)
    for name, make in makers.items():
        if arguments.names and name not in arguments.names:
            continue
        write(arguments.folder, name, make, size, tool)


if __name__ == "__main__":
    main()
