"""Images a second and core: decode, RandomResizedCrop 224, flip, normalize; ours beside what is used from Python.

    make bench-data

Every candidate runs in a process of its own, in turn, over the same files in the page cache, in rounds; the figures are medians
over the rounds with the smallest and largest, per second of CPU, and the paired ratio to the best peer of the same round.
"""

import argparse
import json
import math
import pathlib
import random
import statistics
import subprocess
import sys
import time

SIZE = 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PEERS = ("pillow", "pillow-simd", "opencv", "simplejpeg")


def random_box(width, height, rng):
    for _ in range(10):
        area = width * height * rng.uniform(0.08, 1)
        ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return rng.randint(0, width - w), rng.randint(0, height - h), w, h
    return 0, 0, width, height


def make_loader(peer, rng):
    """bytes -> float32 [224, 224, 3], each library as its users write it."""
    import numpy as np

    # Whole images rather than three numbers: NumPy broadcasts over a last dimension of 3 several times slower.
    shape = (SIZE, SIZE, 3)
    scale = np.broadcast_to(1 / (255 * np.array(DEVIATION)), shape).astype(np.float32)
    shift = np.broadcast_to(-np.array(MEAN) / np.array(DEVIATION), shape).astype(np.float32)

    def normalize(pixels):
        if rng.random() < 0.5:
            pixels = pixels[:, ::-1]
        values = np.multiply(pixels, scale, dtype=np.float32)
        return np.add(values, shift, out=values)

    if peer in ("pillow", "pillow-simd"):
        import io

        import PIL.Image

        def load(content):
            image = PIL.Image.open(io.BytesIO(content)).convert("RGB")
            x, y, w, h = random_box(image.width, image.height, rng)
            return normalize(np.asarray(image.resize((SIZE, SIZE), PIL.Image.BILINEAR, box=(x, y, x + w, y + h))))
    else:
        import cv2

        cv2.setNumThreads(0)

        def decode(content):
            if peer == "simplejpeg":
                return simplejpeg.decode_jpeg(content, "RGB")
            return cv2.cvtColor(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

        if peer == "simplejpeg":
            import simplejpeg

        def load(content):
            image = decode(content)
            x, y, w, h = random_box(image.shape[1], image.shape[0], rng)
            return normalize(cv2.resize(image[y : y + h, x : x + w], (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))

    return load


def run_peer(peer, folder, seconds):
    files = [path for path in pathlib.Path(folder).rglob("*") if path.is_file()]
    load = make_loader(peer, random.Random(0))
    load(files[0].read_bytes())
    images, wall, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        load(files[images % len(files)].read_bytes())
        images += 1
    print(json.dumps({"images": images, "wall_seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}))


def compare(arguments):
    candidates = {"qbitopt": [arguments.ours, arguments.folder, arguments.seconds, "1"]}
    for peer in PEERS:
        python = arguments.simd_python if peer == "pillow-simd" else sys.executable
        if python:
            candidates[peer] = [python, __file__, "--peer", peer, arguments.folder, "--seconds", arguments.seconds]
    rates = {name: [] for name in candidates}
    for _ in range(arguments.rounds):
        for name, command in candidates.items():
            found = json.loads(subprocess.run(list(map(str, command)), check=True, capture_output=True).stdout)
            rates[name].append(found["images"] / found["cpu_seconds"])
    peers = [name for name in candidates if name != "qbitopt"]
    best = [max(rates[peer][i] for peer in peers) for i in range(arguments.rounds)]
    ratios = sorted(ours / peer for ours, peer in zip(rates["qbitopt"], best))
    for name, values in rates.items():
        print(f"{name:12} {statistics.median(values):7.0f} images/s ({min(values):.0f} to {max(values):.0f})")
    print(f"qbitopt / best peer: {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    for threads in arguments.threads:
        command = [arguments.ours, arguments.folder, str(arguments.seconds), str(threads)]
        found = json.loads(subprocess.run(list(map(str, command)), check=True, capture_output=True).stdout)
        print(f"qbitopt, {threads} threads: {found['images'] / found['wall_seconds']:.0f} images/s of wall time")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--peer")
    parser.add_argument("--ours", help="path of photograph_pipeline")
    parser.add_argument("--simd-python", help="Python of an environment with pillow-simd")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    arguments = parser.parse_args()
    run_peer(arguments.peer, arguments.folder, arguments.seconds) if arguments.peer else compare(arguments)


if __name__ == "__main__":
    main()
