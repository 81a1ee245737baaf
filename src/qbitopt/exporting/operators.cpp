#include "qbitopt/exporting/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using c10::IValue;

}  // namespace

Translation find_translation(const GraphNode& node) {
  if (!node.target.starts_with("aten.")) return nullptr;
  const std::string_view name = node.plain_name();
  for (const Translations* group :
       {&layer_operators(), &norm_operators(), &activation_operators(), &arithmetic_operators(),
        &pooling_operators(), &shape_operators(), &attention_operators(), &resizing_operators()}) {
    const auto found = group->find(name);
    if (found != group->end()) return found->second;
  }
  return nullptr;
}

TranslatedCall::TranslatedCall(const GraphNode& node, TranslationState& state)
    : node_(node), state_(state) {
  state_.onnx.set_module(node.module);
}

void TranslatedCall::refuse(const std::string& why) const {
  throw InputError(fmt::format("cannot be exported: {} {}", place_of(node_), why));
}

IValue TranslatedCall::resolved(const ListItem& item, const char* name) const {
  const auto* ref = std::get_if<ValueRef>(&item);
  if (!ref) {
    return std::visit(
        [](const auto& value) -> IValue {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, ValueRef> ||
                        std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
            return {};
          } else {
            return value;
          }
        },
        item);
  }
  const std::optional<int64_t> number = state_.traced[ref->value].number;
  if (!number) refuse(fmt::format("has a '{}' that depends on the number of images", name));
  return *number;
}

IValue TranslatedCall::argument(const char* name) const {
  const GraphArgument* given = node_.find(name);
  if (!given) {
    const size_t first = node_.target.find('.'), last = node_.target.rfind('.');
    const std::string overload = node_.target.substr(last + 1);
    const auto schema = c10::Dispatcher::singleton().findSchema(
        {node_.target.substr(0, first) + "::" + node_.target.substr(first + 1, last - first - 1),
         overload == "default" ? "" : overload});
    if (!schema) refuse("is no operator of LibTorch");
    for (const c10::Argument& one : schema->schema().arguments()) {
      if (one.name() == name) return one.default_value().value_or(IValue());
    }
    return {};
  }
  if (const auto* list = std::get_if<std::vector<ListItem>>(given)) {
    c10::List<int64_t> wholes;
    for (const ListItem& item : *list) {
      const IValue value = resolved(item, name);
      if (!value.isInt()) refuse(fmt::format("has a '{}' that is no list of whole numbers", name));
      wholes.push_back(value.toInt());
    }
    return wholes;
  }
  return std::visit(
      [&](const auto& value) -> IValue {
        if constexpr (std::is_constructible_v<ListItem, decltype(value)>) {
          return resolved(value, name);
        } else {
          return {};
        }
      },
      *given);
}

bool TranslatedCall::has(const char* name) const {
  const GraphArgument* given = node_.find(name);
  return given ? !std::holds_alternative<std::monostate>(*given) : !argument(name).isNone();
}

bool TranslatedCall::is_tensor(const char* name) const {
  const auto value = node_.value(name);
  return value && state_.graph.values[*value].is_tensor;
}

const TracedValue& TranslatedCall::traced(const char* name) const {
  const auto value = node_.value(name);
  if (!value) refuse(fmt::format("has no tensor '{}'", name));
  return state_.traced[*value];
}

const TracedValue& TranslatedCall::output(size_t index) const {
  return state_.traced[node_.outputs.at(index)];
}

int64_t TranslatedCall::size(const char* name, int64_t dimension) const {
  const TracedValue& value = traced(name);
  const TracedSize& size =
      value.shape.at(static_cast<size_t>(dimension < 0 ? dimension + value.rank() : dimension));
  if (size.is_per_image)
    refuse(fmt::format("works along dimension {} of its input, which holds the images", dimension));
  return size.size;
}

std::string TranslatedCall::name_of(size_t value) {
  const auto known = state_.names.find(value);
  if (known != state_.names.end()) return known->second;
  const torch::Tensor& constant = state_.traced[value].constant;
  const GraphValue& of = state_.graph.values[value];
  if (!constant.defined()) refuse(fmt::format("reads '{}', which is not there", of.name));
  const auto own = std::find_if(state_.graph.tensors.begin(), state_.graph.tensors.end(),
                                [&](const GraphTensor& tensor) { return tensor.value == value; });
  const auto type = constant.scalar_type();
  if (type != torch::kFloat32 && type != torch::kInt64 && type != torch::kBool)
    refuse(fmt::format("reads '{}', a constant of type {}", of.name, toString(type)));
  const std::string name =
      state_.onnx.tensor(constant, own != state_.graph.tensors.end() ? own->name : of.name);
  state_.names[value] = name;
  return name;
}

std::string TranslatedCall::input(const char* name) {
  if (is_tensor(name)) return name_of(*node_.value(name));
  const IValue number = argument(name);
  if (!number.isScalar()) refuse(fmt::format("has no '{}'", name));
  return state_.onnx.number(number.toScalar().toDouble());
}

std::string TranslatedCall::operand(const char* name) {
  if (output().type != torch::kFloat32)
    refuse(fmt::format("computes in {}, which is not translated", toString(output().type)));
  const std::string value = input(name);
  const bool is_other = is_tensor(name) && traced(name).type != torch::kFloat32;
  return is_other ? add("Cast", {value}, {{"to", int64_t{1}}}) : value;
}

std::string TranslatedCall::optional_input(const char* name) {
  return has(name) ? input(name) : "";
}

const std::vector<ListItem>& TranslatedCall::list(const char* name) const {
  const GraphArgument* given = node_.find(name);
  const auto* list = given ? std::get_if<std::vector<ListItem>>(given) : nullptr;
  if (!list) refuse(fmt::format("has no list '{}'", name));
  return *list;
}

std::string TranslatedCall::input_of_list(const char* name, size_t index) {
  const auto* ref = std::get_if<ValueRef>(&list(name).at(index));
  if (!ref) refuse(fmt::format("has a '{}' that is no list of tensors", name));
  return name_of(ref->value);
}

std::vector<std::string> TranslatedCall::inputs(const char* name) {
  std::vector<std::string> names;
  for (size_t i = 0; i < list(name).size(); ++i) names.push_back(input_of_list(name, i));
  return names;
}

int64_t TranslatedCall::whole(const char* name) const {
  const IValue value = argument(name);
  if (!value.isScalar()) refuse(fmt::format("has no number '{}'", name));
  return value.toScalar().toLong();
}

double TranslatedCall::real(const char* name) const {
  const IValue value = argument(name);
  if (!value.isScalar()) refuse(fmt::format("has no number '{}'", name));
  return value.toScalar().toDouble();
}

bool TranslatedCall::truth(const char* name) const {
  const IValue value = argument(name);
  return value.isBool() && value.toBool();
}

std::string TranslatedCall::text(const char* name) const {
  const IValue value = argument(name);
  return value.isString() ? value.toStringRef() : "";
}

std::vector<int64_t> TranslatedCall::wholes(const char* name, size_t count) const {
  const IValue value = argument(name);
  std::vector<int64_t> numbers;
  if (value.isIntList()) numbers = value.toIntVector();
  if (value.isInt()) numbers = {value.toInt()};
  if (numbers.size() == 1 && count > 1) numbers.resize(count, numbers.front());
  return numbers;
}

int64_t TranslatedCall::dimension(const char* name, const char* argument) const {
  const int64_t given = whole(name);
  return given < 0 ? given + rank(argument) : given;
}

std::vector<int64_t> TranslatedCall::dimensions(const char* name, const char* argument) const {
  std::vector<int64_t> all = wholes(name);
  if (all.empty()) {
    all.resize(static_cast<size_t>(rank(argument)));
    std::iota(all.begin(), all.end(), 0);
  }
  for (int64_t& one : all) one = one < 0 ? one + rank(argument) : one;
  return all;
}

TranslationState::Weights TranslatedCall::weights(bool is_transposed) {
  return state_.weights(node_, is_transposed);
}

std::string TranslatedCall::add(const std::string& operation, std::vector<std::string> inputs,
                                OnnxAttributes attributes) {
  return state_.onnx.add(operation, std::move(inputs), std::move(attributes));
}

void TranslatedCall::give(const std::string& operation, std::vector<std::string> inputs,
                          OnnxAttributes attributes) {
  const size_t output = node_.outputs.front();
  give_value(state_.onnx.add(operation, std::move(inputs), std::move(attributes),
                             state_.graph.values[output].name));
}

void TranslatedCall::give_several(const std::string& operation, std::vector<std::string> inputs,
                                  OnnxAttributes attributes) {
  std::vector<std::string> wishes;
  for (const size_t output : node_.outputs) wishes.push_back(state_.graph.values[output].name);
  const auto made =
      state_.onnx.add_several(operation, std::move(inputs), std::move(attributes), wishes);
  for (size_t i = 0; i < made.size(); ++i) give_value(made[i], i);
}

void TranslatedCall::give_value(const std::string& value, size_t output) {
  state_.names[node_.outputs.at(output)] = value;
}

void TranslatedCall::give_reshaped(const std::string& value) {
  give("Reshape", {value, shape(output().shape)});
}

std::string TranslatedCall::reshaped(const std::string& value,
                                     const std::vector<TracedSize>& sizes) {
  return add("Reshape", {value, shape(sizes)});
}

std::string TranslatedCall::shape(const std::vector<TracedSize>& sizes) {
  const auto growing = std::count_if(sizes.begin(), sizes.end(),
                                     [](const TracedSize& size) { return size.is_per_image; });
  const bool has_none = std::any_of(sizes.begin(), sizes.end(),
                                    [](const TracedSize& size) { return size.size == 0; });
  if (growing > 1 || has_none) refuse("has an output of no size, or with several that grow");
  std::vector<int64_t> numbers;
  for (const TracedSize& size : sizes) numbers.push_back(size.is_per_image ? -1 : size.size);
  return state_.onnx.wholes(numbers);
}

std::string TranslatedCall::full_shape(const std::vector<TracedSize>& sizes) {
  std::vector<std::string> parts;
  for (const TracedSize& size : sizes) {
    if (!size.is_per_image) {
      parts.push_back(onnx().wholes({size.size}));
      continue;
    }
    const std::string images = add("Shape", {state_.names.at(state_.graph.input)},
                                   {{"start", int64_t{0}}, {"end", int64_t{1}}});
    parts.push_back(size.size == 1 ? images : add("Mul", {images, onnx().wholes({size.size})}));
  }
  return add("Concat", parts, {{"axis", int64_t{0}}});
}

}  // namespace qbitopt
