#include "qbitopt/exporting/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "qbitopt/core/error.h"
#include "qbitopt/graph/quantizers.h"

namespace qbitopt {
namespace {

constexpr int64_t kFew = 2, kMore = 3;

// Of one run: what the two are compared by.
struct Seen {
  bool is_tensor = false;
  std::vector<int64_t> shape;
  int64_t number = 0;
};

TracedSize size_of(const GraphNode& node, int64_t of_few, int64_t of_more) {
  if (of_few == of_more) return {of_few, false};
  const int64_t per_image = of_few / kFew;
  if (per_image * kFew != of_few || per_image * kMore != of_more) {
    throw InputError(
        fmt::format("cannot be exported: {} returns {} values along a dimension for {} images and "
                    "{} for {}; expected a fixed number, or a multiple of the images",
                    place_of(node), of_few, kFew, of_more, kMore));
  }
  return {per_image, true};
}

class Tracer {
 public:
  Tracer(GraphNetwork& network, const std::vector<int64_t>& image_shape)
      : network_(network),
        graph_(network.graph()),
        image_shape_(image_shape),
        values_(graph_.values.size()) {}

  std::vector<TracedValue> trace() {
    const torch::NoGradGuard no_grad;
    const bool was_training = network_.is_training();
    network_.eval();
    const std::vector<Seen> few = run(kFew);
    take_own_values();
    compare(few, run(kMore));
    find_constants();
    run(kFew, /*keeps_constants=*/true);
    network_.train(was_training);
    return std::move(values_);
  }

 private:
  std::vector<Seen> run(int64_t images, bool keeps_constants = false) {
    std::vector<int64_t> shape = {images};
    shape.insert(shape.end(), image_shape_.begin(), image_shape_.end());
    std::vector<Seen> seen(values_.size());
    seen[graph_.input] = {true, shape};
    network_.forward(torch::zeros(shape), [&](const GraphNode& node, const auto& values) {
      if (keeps_constants) keep_constants(node, values);
      for (const size_t output : node.outputs) {
        const c10::IValue& value = values[output];
        if (value.isNone()) take_from_input(node, output, seen);
        if (value.isInt()) seen[output].number = value.toInt();
        if (!value.isTensor()) continue;
        seen[output] = {true, value.toTensor().sizes().vec()};
        values_[output].type = value.toTensor().scalar_type();
      }
    });
    return seen;
  }

  // An activation that the quantizer behind it applies is not run.
  void take_from_input(const GraphNode& node, size_t output, std::vector<Seen>& seen) {
    const size_t input = node.value("self").value();
    seen[output] = seen[input];
    values_[output].type = values_[input].type;
  }

  // What an operator that is no constant reads, as it reads it: a constant may be filled in place.
  void keep_constants(const GraphNode& node, const std::vector<c10::IValue>& values) {
    if (node.outputs.empty() || values_[node.outputs.front()].is_constant) return;
    for_each_value(node, [&](size_t read) {
      torch::Tensor& kept = values_[read].constant;
      if (!values_[read].is_constant || !values[read].isTensor()) return;
      const torch::Tensor content = values[read].toTensor();
      if (!kept.defined()) kept = content.clone();
      if (!kept.equal(content)) {
        throw InputError(fmt::format("cannot be exported: {} reads '{}' after it was changed",
                                     place_of(node), graph_.values[read].name));
      }
    });
  }

  void take_own_values() {
    TracedValue& images = values_[graph_.input];
    images.is_read = true;
    images.shape.push_back({1, true});
    for (const int64_t size : image_shape_) images.shape.push_back({size, false});
    const StateDict state = state_of(network_);
    for (const GraphTensor& own : graph_.tensors) {
      TracedValue& value = values_[own.value];
      value.is_read = true;
      value.is_constant = true;
      value.constant = state.at(own.name);
      value.type = value.constant.scalar_type();
      for (const int64_t size : value.constant.sizes()) value.shape.push_back({size, false});
    }
  }

  void compare(const std::vector<Seen>& few, const std::vector<Seen>& more) {
    for (const GraphNode& node : graph_.nodes) {
      for (const size_t output : node.outputs) {
        TracedValue& value = values_[output];
        value.is_read = true;
        value.shape.clear();
        if (!few[output].is_tensor) {
          if (few[output].number == more[output].number) value.number = few[output].number;
          continue;
        }
        for (size_t i = 0; i < few[output].shape.size(); ++i)
          value.shape.push_back(size_of(node, few[output].shape[i], more[output].shape[i]));
      }
    }
  }

  void find_constants() {
    for (const GraphNode& node : graph_.nodes) {
      bool is_constant = node.target != kQuantize;
      for_each_value(node, [&](size_t value) {
        const bool is_fixed_number =
            !graph_.values[value].is_tensor && values_[value].number.has_value();
        is_constant = is_constant && (values_[value].is_constant || is_fixed_number ||
                                      (reads_shape_alone(node) && graph_.values[value].is_tensor));
      });
      for (const size_t output : node.outputs) {
        const auto& shape = values_[output].shape;
        values_[output].is_constant =
            is_constant && std::none_of(shape.begin(), shape.end(),
                                        [](const TracedSize& size) { return size.is_per_image; });
      }
    }
  }

  static bool reads_shape_alone(const GraphNode& node) {
    static const std::set<std::string_view> names = {"aten.new_zeros", "aten.new_ones",
                                                     "aten.new_full",  "aten.zeros_like",
                                                     "aten.ones_like", "aten.full_like"};
    return names.count(node.operation()) != 0;
  }

  GraphNetwork& network_;
  const Graph& graph_;
  const std::vector<int64_t> image_shape_;
  std::vector<TracedValue> values_;
};

}  // namespace

int64_t TracedValue::fixed_size(int64_t dimension) const {
  const TracedSize& size =
      shape.at(static_cast<size_t>(dimension < 0 ? dimension + rank() : dimension));
  if (size.is_per_image) throw std::logic_error("a dimension that grows with the images is fixed");
  return size.size;
}

std::vector<TracedValue> trace(GraphNetwork& network, const std::vector<int64_t>& image_shape) {
  return Tracer(network, image_shape).trace();
}

}  // namespace qbitopt
