#include "qbitopt/models/operator_call.h"

#include <ATen/ScalarOps.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <utility>

#include "qbitopt/models/weights.h"

namespace qbitopt {
namespace {

using c10::IValue;
using c10::TypeKind;

torch::MemoryFormat memory_format_of(MemoryFormatArgument format) {
  switch (format) {
    case MemoryFormatArgument::kContiguous:
      return torch::MemoryFormat::Contiguous;
    case MemoryFormatArgument::kChannelsLast:
      return torch::MemoryFormat::ChannelsLast;
    case MemoryFormatArgument::kChannelsLast3d:
      return torch::MemoryFormat::ChannelsLast3d;
    case MemoryFormatArgument::kPreserve:
      break;
  }
  return torch::MemoryFormat::Preserve;
}

// What an optional argument is if it is given.
c10::TypePtr without_optional(const c10::TypePtr& type) {
  const auto optional = type->cast<c10::OptionalType>();
  return optional ? optional->getElementType() : type;
}

bool is_optional(const c10::TypePtr& type) { return type->kind() == TypeKind::OptionalType; }

// A number, if the item is one.
std::optional<c10::Scalar> number(const ListItem& item) {
  if (const auto* whole = std::get_if<int64_t>(&item)) return *whole;
  if (const auto* real = std::get_if<double>(&item)) return *real;
  if (const auto* truth = std::get_if<bool>(&item)) return *truth;
  return std::nullopt;
}

// Of the elements of a list without values; an empty answer if one does not fit.
template <typename Element, typename Read>
std::optional<IValue> constants(const std::vector<ListItem>& items, Read read) {
  c10::List<Element> list;
  for (const ListItem& item : items) {
    const std::optional<Element> element = read(item);
    if (!element) return std::nullopt;
    list.push_back(*element);
  }
  return IValue(list);
}

std::optional<int64_t> whole_in(const ListItem& item) {
  const auto* whole = std::get_if<int64_t>(&item);
  return whole ? std::optional(*whole) : std::nullopt;
}

std::optional<double> real_in(const ListItem& item) {
  const auto found = number(item);
  return found && !found->isBoolean() ? std::optional(found->toDouble()) : std::nullopt;
}

std::optional<bool> truth_in(const ListItem& item) {
  const auto* truth = std::get_if<bool>(&item);
  return truth ? std::optional(*truth) : std::nullopt;
}

std::optional<std::string> text_in(const ListItem& item) {
  const auto* text = std::get_if<std::string>(&item);
  return text ? std::optional(*text) : std::nullopt;
}

// A constant of the expected type.
std::optional<IValue> constant(const ListItem& item, const c10::TypePtr& type) {
  switch (type->kind()) {
    case TypeKind::IntType:
    case TypeKind::SymIntType:
      if (const auto whole = whole_in(item)) return IValue(*whole);
      break;
    case TypeKind::FloatType:
      if (const auto real = real_in(item)) return IValue(*real);
      break;
    case TypeKind::BoolType:
      if (const auto truth = truth_in(item)) return IValue(*truth);
      break;
    case TypeKind::StringType:
      if (const auto text = text_in(item)) return IValue(*text);
      break;
    case TypeKind::NumberType:
      if (const auto scalar = number(item)) return IValue(*scalar);
      break;
    case TypeKind::TensorType:
      // As Python does with `x + 1`: a tensor that leaves the type of the other alone.
      if (const auto scalar = number(item))
        return IValue(at::native::wrapped_scalar_tensor(*scalar));
      break;
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::string place_of(const GraphNode& node) {
  return node.module.empty() ? node.target
                             : fmt::format("{} in module '{}'", node.target, node.module);
}

OperatorCall::OperatorCall(const Graph& graph, const GraphNode& node)
    : place_(place_of(node)),
      operator_([&] {
        const size_t first = node.target.find('.'), last = node.target.rfind('.');
        const std::string overload = node.target.substr(last + 1);
        const auto found = c10::Dispatcher::singleton().findSchema(
            {node.target.substr(0, first) + "::" + node.target.substr(first + 1, last - first - 1),
             overload == "default" ? "" : overload});
        if (!found || first == last || node.target == "aten.from_file.default") {
          throw BadGraph(fmt::format("cannot be trained here: LibTorch {} has no operator {}",
                                     TORCH_VERSION, place_of(node)));
        }
        return *found;
      }()),
      outputs_(node.outputs) {
  const auto& expected = operator_.schema().arguments();
  for (const NamedArgument& given : node.arguments) {
    const bool is_known = std::any_of(expected.begin(), expected.end(), [&](const auto& argument) {
      return argument.name() == given.name;
    });
    if (!is_known) refuse(fmt::format("has no argument '{}'", given.name));
  }
  for (const c10::Argument& one : expected) arguments_.push_back(argument(graph, node, one));
}

void OperatorCall::refuse(const std::string& why) const {
  throw BadGraph(
      fmt::format("does not fit LibTorch {}: operator {} {}", TORCH_VERSION, place_, why));
}

OperatorCall::Argument OperatorCall::argument(const Graph& graph, const GraphNode& node,
                                              const c10::Argument& expected) const {
  const c10::TypePtr type = without_optional(expected.type());
  const bool is_mode = expected.name() == "train" || expected.name() == "training";
  // As nn.BatchNorm2d, and weights that are normalized: without running statistics those of the
  // batch count in evaluation, too.
  const bool has_statistics =
      node.operation() != "aten.batch_norm" || node.value("running_mean").has_value();
  if (is_mode && type->kind() == TypeKind::BoolType && !has_statistics) return IValue(true);
  if (is_mode && type->kind() == TypeKind::BoolType) return FromMode{};
  const GraphArgument* given = node.find(expected.name());
  const bool is_none = !given || std::holds_alternative<std::monostate>(*given);
  if (type->kind() == TypeKind::DeviceObjType) {
    bool reads_tensors = false;
    for_each_value(node, [&](size_t value) {
      reads_tensors = reads_tensors || graph.values[value].is_tensor;
    });
    if (!is_none || !reads_tensors) return FromDevice{};
  }
  if (!given) {
    if (expected.default_value()) return *expected.default_value();
    if (is_optional(expected.type())) return IValue();
    refuse(fmt::format("misses its argument '{}'", expected.name()));
  }
  if (is_none) {
    if (!is_optional(expected.type())) refuse(fmt::format("has no '{}'", expected.name()));
    return IValue();
  }
  const auto misfit = [&] {
    refuse(fmt::format("has an argument '{}' that is no {}", expected.name(), type->str()));
  };
  if (const auto* property = std::get_if<TypeArgument>(given)) {
    if (type->kind() != TypeKind::IntType) misfit();
    return IValue(static_cast<int64_t>(scalar_type_of(property->type)));
  }
  if (const auto* format = std::get_if<MemoryFormatArgument>(given)) {
    if (type->kind() != TypeKind::IntType) misfit();
    return IValue(static_cast<int64_t>(memory_format_of(*format)));
  }
  if (std::holds_alternative<LayoutArgument>(*given)) {
    if (type->kind() != TypeKind::IntType) misfit();
    return IValue(static_cast<int64_t>(torch::kStrided));
  }
  const auto list_type = type->cast<c10::ListType>();
  if (const auto* items = std::get_if<std::vector<ListItem>>(given)) {
    if (!list_type) misfit();
    return list(graph, *items, expected, list_type->getElementType());
  }
  if (const auto* ref = std::get_if<ValueRef>(given)) {
    const bool is_tensor = graph.values[ref->value].is_tensor;
    if (type->kind() == TypeKind::TensorType && is_tensor) return *ref;
    if (type->kind() == TypeKind::TensorType) return Number{ref->value};
    const bool takes_whole = type->kind() == TypeKind::IntType ||
                             type->kind() == TypeKind::SymIntType ||
                             type->kind() == TypeKind::NumberType;
    if (is_tensor || !takes_whole) misfit();
    return *ref;
  }
  const ListItem item = std::visit(
      [](const auto& value) -> ListItem {
        if constexpr (std::is_constructible_v<ListItem, decltype(value)>) return value;
        return {};
      },
      *given);
  if (list_type && expected.N()) {  // `stride=2` for `int[2] stride`
    return list(graph, std::vector<ListItem>(static_cast<size_t>(*expected.N()), item), expected,
                list_type->getElementType());
  }
  const std::optional<IValue> value = constant(item, type);
  if (!value) misfit();
  return *value;
}

OperatorCall::Argument OperatorCall::list(const Graph& graph, const std::vector<ListItem>& items,
                                          const c10::Argument& expected,
                                          const c10::TypePtr& element) const {
  const TypeKind kind = element->kind();
  const auto optional = element->cast<c10::OptionalType>();
  const bool is_tensors = kind == TypeKind::TensorType;
  const bool is_optional_tensors =
      optional && optional->getElementType()->kind() == TypeKind::TensorType;
  const bool is_ints = kind == TypeKind::IntType || kind == TypeKind::SymIntType;
  const auto fits = [&](const ListItem& item) {
    if (const auto* ref = std::get_if<ValueRef>(&item))
      return graph.values[ref->value].is_tensor ? !is_ints : is_ints;
    return is_optional_tensors ? std::holds_alternative<std::monostate>(item)
                               : is_ints && whole_in(item).has_value();
  };
  std::optional<IValue> value;
  if (is_tensors || is_optional_tensors || is_ints) {
    if (std::all_of(items.begin(), items.end(), fits)) {
      const List list{is_tensors            ? List::Kind::kTensors
                      : is_optional_tensors ? List::Kind::kOptionalTensors
                                            : List::Kind::kInts,
                      items};
      const bool is_constant = std::none_of(items.begin(), items.end(), [](const ListItem& item) {
        return std::holds_alternative<ValueRef>(item);
      });
      if (!is_constant || !is_ints) return list;
      value = make(list, {});
    }
  } else if (kind == TypeKind::FloatType) {
    value = constants<double>(items, real_in);
  } else if (kind == TypeKind::BoolType) {
    value = constants<bool>(items, truth_in);
  } else if (kind == TypeKind::StringType) {
    value = constants<std::string>(items, text_in);
  }
  if (!value) {
    refuse(
        fmt::format("has a list '{}' whose elements are no {}", expected.name(), element->str()));
  }
  return *value;
}

IValue OperatorCall::make(const List& list, const std::vector<IValue>& values) {
  const auto tensor = [&](const ListItem& item) {
    return values[std::get<ValueRef>(item).value].toTensor();
  };
  switch (list.kind) {
    case List::Kind::kTensors: {
      c10::List<torch::Tensor> tensors;
      for (const ListItem& item : list.items) tensors.push_back(tensor(item));
      return tensors;
    }
    case List::Kind::kOptionalTensors: {
      c10::List<std::optional<torch::Tensor>> tensors;
      for (const ListItem& item : list.items) {
        const bool is_there = std::holds_alternative<ValueRef>(item);
        tensors.push_back(is_there ? std::optional(tensor(item)) : std::nullopt);
      }
      return tensors;
    }
    case List::Kind::kInts:
      break;
  }
  c10::List<int64_t> numbers;
  for (const ListItem& item : list.items) {
    const auto* ref = std::get_if<ValueRef>(&item);
    numbers.push_back(ref ? values[ref->value].toInt() : std::get<int64_t>(item));
  }
  return numbers;
}

void OperatorCall::run(std::vector<IValue>& values, const Mode& mode) const {
  torch::jit::Stack stack;
  stack.reserve(arguments_.size());
  for (const Argument& argument : arguments_) {
    if (const auto* fixed = std::get_if<IValue>(&argument)) {
      stack.push_back(*fixed);
    } else if (const auto* ref = std::get_if<ValueRef>(&argument)) {
      stack.push_back(values[ref->value]);
    } else if (const auto* number = std::get_if<Number>(&argument)) {
      stack.emplace_back(at::native::wrapped_scalar_tensor(values[number->value].toInt()));
    } else if (const auto* items = std::get_if<List>(&argument)) {
      stack.push_back(make(*items, values));
    } else if (std::holds_alternative<FromMode>(argument)) {
      stack.emplace_back(mode.is_training);
    } else {
      stack.emplace_back(mode.device);
    }
  }
  try {
    operator_.callBoxed(stack);
  } catch (c10::Error& error) {
    error.add_context("in operator " + place_);
    throw;
  }
  size_t output = 0;
  const auto take = [&](const IValue& value) {
    if (output < outputs_.size()) values[outputs_[output]] = value;
    ++output;
  };
  for (const IValue& result : stack) {
    if (!result.isTensorList()) {
      take(result);
      continue;
    }
    for (const torch::Tensor& tensor : result.toTensorVector()) take(tensor);
  }
  TORCH_CHECK(output == outputs_.size(), "operator ", place_, " returns ", output,
              " tensors; the graph expects ", outputs_.size());
}

}  // namespace qbitopt
