"""Draws images to try the tutorial with, if you have none at hand: make_shapes.py FOLDER [IMAGES_PER_CLASS]

FOLDER/train and FOLDER/val get a folder for each class (circles, squares, triangles, crosses) of PNG files, 48 x 48 pixels, with
random colors, sizes, places, angles and noise. Needs nothing but Python.
"""
import math
import pathlib
import random
import struct
import sys
import zlib

SIZE = 48


def inside(shape, x, y):
    """Whether a point is inside a shape of radius 1 around the origin."""
    if shape == "circles":
        return x * x + y * y < 1
    if shape == "squares":
        return max(abs(x), abs(y)) < 0.85
    if shape == "triangles":
        return -0.8 < y and y < 1 - 1.9 * abs(x)
    return min(abs(x), abs(y)) < 0.3 and max(abs(x), abs(y)) < 0.95  # crosses


def draw(shape, random):
    radius, left, top = (random.uniform(*limits) for limits in [(10, 18), (17, 31), (17, 31)])
    front, back = ([random.randrange(*shades) for _ in range(3)] for shades in [(110, 240), (10, 120)])
    angle = random.uniform(0, 2 * math.pi)
    sine, cosine = math.sin(angle) / radius, math.cos(angle) / radius
    rows = []
    for y in range(SIZE):
        row = bytearray([0])  # PNG: no filter
        for x in range(SIZE):
            color = front if inside(shape, cosine * (x - left) + sine * (y - top), sine * (x - left) - cosine * (y - top)) else back
            row += bytes(max(0, min(255, c + random.randrange(-40, 41))) for c in color)
        rows.append(bytes(row))
    return b"".join(rows)


def png(pixels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder, images = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300
    for part, count in [("train", images), ("val", max(1, images // 4))]:
        for shape in ["circles", "squares", "triangles", "crosses"]:
            (folder / part / shape).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = draw(shape, random.Random(f"{part} {shape} {number}"))
                (folder / part / shape / f"{number:04}.png").write_bytes(png(pixels))
    print(f"{images} images to train on and {max(1, images // 4)} to test on for each of 4 classes, in {folder}")


if __name__ == "__main__":
    main()
