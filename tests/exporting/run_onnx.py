"""Runs exported networks on images whose logits are known, and prints how far off they are, as JSON.

    python tests/exporting/run_onnx.py net.onnx examples.safetensors [MORE.onnx EXAMPLES ...]

For each file, by onnxruntime: {"plain": {"images", "top1", "difference", "close"}}, without any optimization; "optimized",
with all that compute the same; "default", with those that do not: they round float32 inputs of a product with integer
weights to 8 bits, and biases to steps of the input's scale times the weight's, and on x86 processors without VNNI pairs of
products of 8 bits saturate at 16. Of a file with Quant nodes {"qonnx": {...}}.
"top1": images with the same first class. "difference": the largest of a logit, in units of the largest
logit. "close": images whose logits differ by at most CLOSE.

If the examples hold "codes.NAME", what our quantizers of activations made of the images (export-network --codes), each
model is also cut at them: every layer reads our codes, so that what it computes cannot have begun elsewhere. "forced
plain", "forced optimized" and "forced qonnx" then have, besides the above, "codes": how many codes were compared,
"crossed": how many differ from ours, "furthest": the largest distance, in steps, of such a value from the boundary between
the two codes, and "jumps": those that differ by more than a step.
"""

import json
import struct
import sys

import numpy as np
import onnx
import onnx.numpy_helper

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


def session_of(model, how, is_cut=False):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_DISABLE_ALL if how == "plain" else levels.ORT_ENABLE_ALL
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    disabled = []
    if how == "optimized":
        options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
        options.add_session_config_entry("session.x64quantprecision", "1")
        disabled = ["WeightBiasQuantization"]

    def session():
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, ["CPUExecutionProvider"], disabled_optimizers=disabled
        )

    # What onnxruntime 1.32 cannot load of some networks, and what helps.
    remedies = {"replace the existing tensor": lambda: options.add_session_config_entry("session.x64quantprecision", "0")}
    if is_cut:  # it copies a quantization with the wrong type
        remedies["does not match y_zero_point type"] = lambda: disabled.append("QDQPropagationTransformer")
    while True:
        try:
            return session()
        except onnxruntime.capi.onnxruntime_pybind11_state.Fail as error:
            remedy = next((text for text in remedies if text in str(error)), None)
            if remedy is None:
                raise
            remedies.pop(remedy)()


def by_onnxruntime(model, images, how):
    session = session_of(model, how)
    whole = session.run(["logits"], {"images": images})[0]
    one = session.run(["logits"], {"images": images[:1]})[0]  # the batch may have any size
    assert one.shape == (1, whole.shape[1]), one.shape
    return whole


def run_qonnx(model, feeds):
    """All outputs, of one batch: it runs node by node, on tensors of the sizes that the model says."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    for value in [*model.graph.input, *model.graph.output]:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param == "batch":
                size.dim_value = len(feeds["images"])
    wrapper = ModelWrapper(model).transform(InferShapes())
    return execute_onnx(wrapper, feeds)


class Forced:
    """A model whose layers read given codes, and which hands out what it would have quantized itself."""

    def __init__(self, model, codes, looks):
        """`looks`: also hands out what is quantized, which keeps onnxruntime from computing in integers."""
        self.model, self.feeds, self.sites = model, {}, []
        graph = model.graph
        constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
        makers = {output: node for node in graph.node for output in node.output}
        self.is_qonnx = any(node.op_type == "Quant" for node in graph.node)
        for name, values in codes.items():
            readers = [
                node
                for node in graph.node
                if node.op_type in ("DequantizeLinear", "Quant")
                and node.input[1] == name + "_scale"
                and node.input[0] not in constants
            ]
            assert len(readers) == 1, f"{len(readers)} nodes dequantize '{name}'"
            (node,) = readers
            scale = float(constants[name + "_scale"])
            if self.is_qonnx:
                source, made = node.input[0], node.output[0]
                fed, kind = values.astype(np.float32) * np.float32(scale), onnx.TensorProto.FLOAT
            else:
                made = node.input[0]
                quantize = makers[made] if makers[made].op_type == "QuantizeLinear" else makers[makers[made].input[0]]
                assert quantize.op_type == "QuantizeLinear", f"'{name}' is quantized by {quantize.op_type}"
                source, fed, kind = quantize.input[0], values, onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
            given = f"given {name}"
            for reader in graph.node:
                if reader is not node and not self.is_qonnx:
                    continue
                for i, read in enumerate(reader.input):
                    if read == made:
                        reader.input[i] = given
            shape = list(values.shape)
            graph.input.append(onnx.helper.make_tensor_value_info(given, kind, shape))
            self.add_output(made, kind, shape)
            if looks:
                self.add_output(source, onnx.TensorProto.FLOAT, shape)
            self.feeds[given] = fed
            offset = constants.get(name + "_offset", np.float32(0))
            self.sites.append((name, made, source, values, scale, offset))

    def add_output(self, name, kind, shape):
        graph = self.model.graph
        if all(value.name != name for value in [*graph.input, *graph.output]):
            self.model.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, shape))

    def run(self, images, how):
        feeds = {"images": images, **self.feeds}
        if how == "qonnx":
            return feeds | run_qonnx(self.model, feeds)
        session = session_of(self.model, how, is_cut=True)
        names = [output.name for output in self.model.graph.output]
        return feeds | dict(zip(names, session.run(names, feeds), strict=True))

    def compare(self, results, sources):
        """`sources`: of each site what is quantized, where it is known."""
        found = {"codes": 0, "crossed": 0, "jumps": 0, "furthest": 0.0}
        for name, made, _, ours, scale, offset in self.sites:
            theirs = results[made]
            if self.is_qonnx:
                theirs = np.rint(theirs / scale)
            off = theirs.astype(np.int64) - ours.astype(np.int64)
            # Beside a large offset, several codes of a small scale are one value in float32.
            values = [codes.astype(np.float32) * np.float32(scale) + offset for codes in (theirs, ours)]
            off[values[0] == values[1]] = 0
            found["codes"] += off.size
            differ = np.nonzero(off.reshape(-1))[0]
            if not len(differ):
                continue
            found["crossed"] += len(differ)
            found["jumps"] += int((np.abs(off) > 1).sum())
            # The boundary between codes q and q + 1 is (q + 1/2) scale.
            boundary = np.minimum(theirs, ours).reshape(-1)[differ].astype(np.float64) + 0.5
            distance = np.abs(sources[name].reshape(-1)[differ].astype(np.float64) / scale - boundary)
            found["furthest"] = max(found["furthest"], float(distance.max()))
        return found


def force(file, tensors, expected, hows):
    codes = {name[6:]: values for name, values in tensors.items() if name.startswith("codes.")}
    result = {}
    if not codes:
        return result
    images = tensors["images"].copy()
    sources = {}
    for how in hows:
        forced = Forced(onnx.load(file), codes, looks=not sources)
        results = forced.run(images, how)
        if not sources:
            sources = {name: results[source] for name, _, source, *_ in forced.sites}
        result["forced " + how] = {
            **compare(results["logits"], expected),
            **forced.compare(results, sources),
        }
    return result


def check(file, examples):
    tensors, _ = read_safetensors(examples)
    images, expected = tensors["images"].copy(), tensors["logits"]
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=not any(opset.domain for opset in model.opset_import))
    result = {"file": file}
    if any(opset.domain.startswith("qonnx") for opset in model.opset_import):
        result["qonnx"] = compare(run_qonnx(model, {"images": images})["logits"], expected)
        return result | force(file, tensors, expected, ["qonnx"])
    for how in ("plain", "optimized", "default"):
        result[how] = compare(by_onnxruntime(model, images, how), expected)
    return result | force(file, tensors, expected, ["plain", "optimized"])


def main():
    files = sys.argv[1:]
    for file, examples in zip(files[::2], files[1::2], strict=True):
        print(json.dumps(check(file, examples)), flush=True)


if __name__ == "__main__":
    main()
