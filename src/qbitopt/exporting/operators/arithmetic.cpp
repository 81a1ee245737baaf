#include "qbitopt/exporting/operators.h"

namespace qbitopt {
namespace {

// `other` times alpha, which sums and differences have.
std::string scaled_other(TranslatedCall& call, const char* other) {
  const double alpha = call.real("alpha");
  const std::string value = call.operand(other);
  return alpha == 1 ? value : call.add("Mul", {value, call.onnx().number(alpha)});
}

void add(TranslatedCall& call) {
  call.give("Add", {call.operand("self"), scaled_other(call, "other")});
}
void subtract(TranslatedCall& call) {
  call.give("Sub", {call.operand("self"), scaled_other(call, "other")});
}
void reverse_subtract(TranslatedCall& call) {
  call.give("Sub", {call.operand("other"), scaled_other(call, "self")});
}
void multiply(TranslatedCall& call) {
  call.give("Mul", {call.operand("self"), call.operand("other")});
}
void divide(TranslatedCall& call) {
  if (call.has("rounding_mode")) call.refuse("rounds its quotient, which is not translated");
  call.give("Div", {call.operand("self"), call.operand("other")});
}
void power(TranslatedCall& call) {
  call.give("Pow", {call.operand("self"), call.operand("exponent")});
}
void square(TranslatedCall& call) {
  const std::string x = call.operand("self");
  call.give("Mul", {x, x});
}
void maximum(TranslatedCall& call) {
  call.give("Max", {call.operand("self"), call.operand("other")});
}
void minimum(TranslatedCall& call) {
  call.give("Min", {call.operand("self"), call.operand("other")});
}

// Sums take their axes as an input since opset 13, the other reductions since 18.
void reduce(TranslatedCall& call, const std::string& operation) {
  for (const int64_t axis : call.dimensions("dim", "self")) call.size("self", axis);
  const std::vector<int64_t> axes = call.dimensions("dim", "self");
  const int64_t keeps = call.truth("keepdim") ? 1 : 0;
  if (operation == "ReduceSum" || call.onnx().opset() >= 18) {
    call.give(operation, {call.operand("self"), call.onnx().wholes(axes)}, {{"keepdims", keeps}});
  } else {
    call.give(operation, {call.operand("self")}, {{"axes", axes}, {"keepdims", keeps}});
  }
}
void mean(TranslatedCall& call) { reduce(call, "ReduceMean"); }
void sum(TranslatedCall& call) { reduce(call, "ReduceSum"); }
void largest(TranslatedCall& call) { reduce(call, "ReduceMax"); }
void smallest(TranslatedCall& call) { reduce(call, "ReduceMin"); }
void length(TranslatedCall& call) {
  if (call.real("ord") != 2) call.refuse("is no Euclidean norm");
  reduce(call, "ReduceL2");
}

void where(TranslatedCall& call) {
  call.give("Where", {call.input("condition"), call.operand("self"), call.operand("other")});
}
void masked_fill(TranslatedCall& call) {
  call.give("Where", {call.input("mask"), call.operand("value"), call.operand("self")});
}

}  // namespace

const Translations& arithmetic_operators() {
  static const Translations all = {{"add", add},
                                   {"amax", largest},
                                   {"amin", smallest},
                                   {"div", divide},
                                   {"linalg_vector_norm", length},
                                   {"masked_fill", masked_fill},
                                   {"maximum", maximum},
                                   {"mean", mean},
                                   {"minimum", minimum},
                                   {"mul", multiply},
                                   {"pow", power},
                                   {"rsub", reverse_subtract},
                                   {"square", square},
                                   {"sub", subtract},
                                   {"sum", sum},
                                   {"where", where}};
  return all;
}

}  // namespace qbitopt
