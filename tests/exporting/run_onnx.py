"""Runs exported networks on images whose logits are known, and prints how far off they are, as JSON.

    python tests/exporting/run_onnx.py net.onnx examples.safetensors [MORE.onnx EXAMPLES ...]

For each file, by onnxruntime: {"plain": {"images", "top1", "difference", "close"}}, without any optimization; "optimized",
with all that compute the same; "default", with those that round more, too: float32 inputs of a product with integer
weights to 8 bits, and biases to steps of the input's scale times the weight's. Of a file with Quant nodes {"qonnx": {...}},
of four images. "top1": images with the same first class. "difference": the largest of a logit, in units of the largest
logit. "close": images whose logits differ by at most CLOSE.
"""

import json
import struct
import sys

import numpy as np
import onnx

KINDS = {"F32": np.float32, "I64": np.int64, "I8": np.int8, "U8": np.uint8, "BOOL": np.bool_}


# In units of the largest logit. Differences of float32 sums stay below; an image with a value that got another code does not.
CLOSE = 1e-5


def read_safetensors(file):
    with open(file, "rb") as stream:
        content = stream.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(content[begin:end], KINDS[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def compare(logits, expected):
    same = np.argmax(logits, 1) == np.argmax(expected, 1)
    difference = np.abs(logits - expected).max(1) / max(np.abs(expected).max(), 1e-30)
    return {
        "top1": int(same.sum()),
        "images": len(same),
        "difference": float(difference.max()),
        "close": int((difference <= CLOSE).sum()),
    }


def by_onnxruntime(model, images, how):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_DISABLE_ALL if how == "plain" else levels.ORT_ENABLE_ALL
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    disabled = []
    if how == "optimized":
        options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
        disabled = ["WeightBiasQuantization"]
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, ["CPUExecutionProvider"], disabled_optimizers=disabled
    )
    whole = session.run(["logits"], {"images": images})[0]
    one = session.run(["logits"], {"images": images[:1]})[0]  # the batch may have any size
    assert one.shape == (1, whole.shape[1]), one.shape
    return whole


def by_qonnx(model, images):
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    logits = []
    # It runs node by node with the batch that the model says.
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    wrapper = ModelWrapper(model).transform(InferShapes())
    for image in images:
        logits.append(execute_onnx(wrapper, {"images": image[None]})["logits"][0])
    return np.stack(logits)


def check(file, examples):
    tensors, _ = read_safetensors(examples)
    images, expected = tensors["images"].copy(), tensors["logits"]
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=not any(opset.domain for opset in model.opset_import))
    result = {"file": file}
    if any(opset.domain.startswith("qonnx") for opset in model.opset_import):
        few = slice(0, 4)
        result["qonnx"] = compare(by_qonnx(model, images[few]), expected[few])
        return result
    for how in ("plain", "optimized", "default"):
        result[how] = compare(by_onnxruntime(model, images, how), expected)
    return result


def main():
    files = sys.argv[1:]
    for file, examples in zip(files[::2], files[1::2], strict=True):
        print(json.dumps(check(file, examples)), flush=True)


if __name__ == "__main__":
    main()
