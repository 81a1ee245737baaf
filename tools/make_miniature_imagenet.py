#!/usr/bin/env python3
"""Writes a small set of photographs in ImageNet's layout, to try everything that ImageNet is used for.

    make miniature                        # into build/miniature_imagenet
    make_miniature_imagenet.py OUT [--train N] [--val N] [--flat] [--clean] [--size WIDTHxHEIGHT]

15 of ImageNet's classes: crops of scikit-image's photographs, and Fashion-MNIST's clothes under the class that fits. Sizes go
from 60 to 1,400 pixels. Among the files are, as in ImageNet: gray and CMYK JPEG, a PNG and an empty file that call themselves
JPEG, one that ends too early (--clean: none of these). --flat: val without folders, labels in val.txt. --size: all of one size.
Needs Pillow and scikit-image, and Fashion-MNIST (Debian: dataset-fashion-mnist).
"""

import argparse
import gzip
import io
import pathlib
import random

import numpy
import PIL.Image
import skimage

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
PHOTOGRAPHS = {
    "n02124075": "chelsea.png",  # Egyptian cat
    "n07920052": "coffee.png",  # espresso
    "n03773504": "rocket.jpg",  # missile
    "n03444034": "astronaut.png",  # go-kart: what published networks see in it
    "n03788365": "hubble_deep_field.jpg",  # mosquito net
    "n03791053": "motorcycle_left.png",  # motor scooter
}
CLOTHES = {  # label of Fashion-MNIST -> class
    0: "n03595614",  # T-shirt: jersey
    1: "n03594734",  # trouser: jean
    2: "n04370456",  # pullover: sweatshirt
    3: "n03534580",  # dress: hoopskirt
    4: "n04479046",  # coat: trench coat
    5: "n04133789",  # sandal
    7: "n04120489",  # sneaker: running shoe
    8: "n04026417",  # bag: purse
    9: "n03124043",  # ankle boot: cowboy boot
}


def read_fashion():
    def idx(name, offset):
        return numpy.frombuffer(gzip.open(FASHION / name).read(), numpy.uint8, offset=offset)

    return idx("train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28), idx("train-labels-idx1-ubyte.gz", 8)


def random_size(rng, size):
    if size:
        return size
    longer = rng.choice([60, 110, 224, 320, 500, 500, 500, 640, 1024, 1400])
    sides = [longer, max(40, int(longer * rng.uniform(0.6, 1)))]
    return tuple(sides if rng.random() < 0.7 else sides[::-1])


def crop_of(photograph, rng, size):
    part = rng.uniform(0.5, 1)
    width, height = int(photograph.width * part), int(photograph.height * part)
    x, y = rng.randint(0, photograph.width - width), rng.randint(0, photograph.height - height)
    return photograph.crop((x, y, x + width, y + height)).resize(size, PIL.Image.BICUBIC)


def on_cloth(pixels, rng, size):
    """A gray piece of clothing, tinted, on a background with some texture."""
    garment = PIL.Image.fromarray(pixels).resize(size, PIL.Image.BICUBIC)
    noise = numpy.random.default_rng(rng.randint(0, 2**31)).normal(0, 8, (size[1], size[0], 3))
    background = numpy.array([rng.randint(60, 200) for _ in range(3)]) + noise
    tint = numpy.array([rng.uniform(0.5, 1) for _ in range(3)])
    mask = numpy.asarray(garment, numpy.float32)[..., None] / 255
    return PIL.Image.fromarray(numpy.clip(background * (1 - mask) + 255 * mask * tint, 0, 255).astype(numpy.uint8))


def encode(image, index, rng, clean):
    buffer = io.BytesIO()
    quality = rng.choice([75, 90, 90, 95])
    if clean:
        image.save(buffer, "JPEG", quality=90)
    elif index % 9 == 4:
        image.convert("L").save(buffer, "JPEG", quality=quality)
    elif index % 9 == 7:
        image.convert("CMYK").save(buffer, "JPEG", quality=quality)
    elif index % 17 == 11:
        image.save(buffer, "PNG")
    else:
        image.save(buffer, "JPEG", quality=quality, subsampling=rng.choice([0, 2, 2, 2]), progressive=rng.random() < 0.1)
    return buffer.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT", type=pathlib.Path)
    parser.add_argument("--train", type=int, default=16, help="training images a class (16)")
    parser.add_argument("--val", type=int, default=4, help="validation images a class (4)")
    parser.add_argument("--flat", action="store_true")
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))))
    arguments = parser.parse_args()
    rng = random.Random(0)
    folder = pathlib.Path(skimage.__file__).parent / "data"
    fashion, labels = read_fashion()

    def photographs(name):
        photograph = PIL.Image.open(folder / name).convert("RGB")
        return lambda size: crop_of(photograph, rng, size)

    def clothes(label):
        images = iter(fashion[labels == label])
        return lambda size: on_cloth(next(images), rng, size)

    makers = {wnid: photographs(name) for wnid, name in PHOTOGRAPHS.items()}
    makers |= {wnid: clothes(label) for label, wnid in CLOTHES.items()}
    ground_truth = []
    for wnid in sorted(makers):
        for index in range(arguments.train + arguments.val):
            content = encode(makers[wnid](random_size(rng, arguments.size)), index, rng, arguments.clean)
            is_train = index < arguments.train
            if not arguments.clean and is_train and wnid == "n07920052":
                content = {1: b"", 2: content[: len(content) // 3]}.get(index, content)
            if is_train:
                path = arguments.out / "train" / wnid / f"{wnid}_{index}.JPEG"
            else:
                name = f"ILSVRC2012_val_{len(ground_truth) + 1:08d}.JPEG"
                path = arguments.out / "val" / ("" if arguments.flat else wnid) / name
                ground_truth.append(f"{name} {wnid}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    if arguments.flat:
        (arguments.out / "val.txt").write_text("\n".join(ground_truth) + "\n")
    print(f"{arguments.out}: {len(makers)} classes, {len(makers) * arguments.train} training and "
          f"{len(ground_truth)} validation images")  # fmt: skip


if __name__ == "__main__":
    main()
