// Reads any bytes as what torch.export.save writes, and makes it ready for training: every
// reference of the graph must be to something that is made before, and every tensor lie within the
// file.
#include <cstdlib>
#include <optional>

#include "qbitopt/graph/activations.h"
#include "qbitopt/graph/pt2_file.h"

namespace {

void expect(bool is_true) {
  if (!is_true) std::abort();
}

void expect_sound(const qbitopt::Graph& graph, size_t file_size) {
  std::vector<bool> is_made(graph.values.size());
  is_made.at(graph.input) = true;
  for (const auto& tensor : graph.tensors) {
    is_made.at(tensor.value) = true;
    const auto& values = tensor.stored.values;
    const uint64_t in_file = values.packed_size.value_or(values.size);
    expect(values.begin <= file_size && in_file <= file_size - values.begin);
    expect(tensor.stored.elements() * qbitopt::value_bytes().at(tensor.stored.type) <=
           static_cast<int64_t>(values.size));
  }
  for (const auto& node : graph.nodes) {
    qbitopt::for_each_value(node, [&](size_t value) { expect(is_made.at(value)); });
    for (const size_t output : node.outputs) is_made.at(output) = true;
  }
  expect(is_made.at(graph.output) && graph.classes() > 0);
}

void expect_sound(const qbitopt::QuantizedGraph& quantized, size_t file_size) {
  expect_sound(quantized.graph, file_size);
  const auto expect_site = [&](std::optional<size_t> site) {
    expect(!site || *site < quantized.sites.size());
  };
  for (const auto& layer : quantized.layers) {
    expect(layer.node < quantized.graph.nodes.size());
    expect_site(layer.input_site);
    expect_site(layer.weight_site);
  }
  for (const auto& gate : quantized.gates) {
    expect(gate.node < quantized.graph.nodes.size());
    expect_site(gate.site);
  }
  for (const auto& product : quantized.products) {
    expect(product.node < quantized.graph.nodes.size());
    expect_site(product.left_site);
    expect_site(product.right_site);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  try {
    qbitopt::Graph graph = qbitopt::read_pt2(file);
    expect_sound(graph, size);
    expect_sound(qbitopt::quantize(graph), size);
    expect_sound(qbitopt::quantize(graph, {.products = true}), size);
    expect_sound(qbitopt::quantize(std::move(graph), {.skip = {"*t.weight", "*.input"}}), size);
  } catch (const qbitopt::BadGraph&) {
  }
  return 0;
}
