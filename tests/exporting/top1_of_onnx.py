"""Prints the top-1 accuracy, in percent, of an exported network over Fashion-MNIST's 10,000 test images.

    python tests/exporting/top1_of_onnx.py net.onnx
"""

import gzip
import json
import sys

import numpy as np
import onnx
import onnxruntime

FOLDER = "/usr/share/datasets/fashion-mnist/t10k"


def read_idx(name, header):
    with gzip.open(f"{FOLDER}-{name}-ubyte.gz") as stream:
        return np.frombuffer(stream.read()[header:], np.uint8)


def main():
    model = onnx.load(sys.argv[1])
    metadata = {entry.key: json.loads(entry.value) for entry in model.metadata_props if entry.key.startswith("input_")}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # As run_onnx.py says: without what rounds more than the network does.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(
        sys.argv[1], options, ["CPUExecutionProvider"], disabled_optimizers=["WeightBiasQuantization"]
    )
    images = read_idx("images-idx3", 16).reshape(-1, 1, 28, 28).astype(np.float32) / 255
    images = (images - np.float32(metadata["input_mean"])) / np.float32(metadata["input_std"])
    labels = read_idx("labels-idx1", 8)
    right = 0
    for first in range(0, len(labels), 500):
        logits = session.run(["logits"], {"images": images[first : first + 500]})[0]
        right += int((logits.argmax(1) == labels[first : first + 500]).sum())
    print(100 * right / len(labels))


if __name__ == "__main__":
    main()
