#include <algorithm>
#include <cmath>
#include <numbers>

#include "qbitopt/exporting/operators.h"

namespace qbitopt {
namespace {

const char* input_of(const TranslatedCall& call) {
  return call.is_tensor("self") ? "self" : "input";
}

template <const char* kOperation>
void plain(TranslatedCall& call) {
  call.give(kOperation, {call.input(input_of(call))});
}
constexpr char kRelu[] = "Relu", kSigmoid[] = "Sigmoid", kTanh[] = "Tanh", kExp[] = "Exp",
               kLog[] = "Log", kSqrt[] = "Sqrt", kAbs[] = "Abs", kNeg[] = "Neg", kErf[] = "Erf",
               kSoftplus[] = "Softplus", kHardSwish[] = "HardSwish", kFloor[] = "Floor";

void clip(TranslatedCall& call, const std::string& low, const std::string& high) {
  call.give("Clip", {call.input(input_of(call)), low, high});
}

void relu6(TranslatedCall& call) { clip(call, call.onnx().number(0), call.onnx().number(6)); }

void hardtanh(TranslatedCall& call) { clip(call, call.input("min_val"), call.input("max_val")); }

void clamp(TranslatedCall& call) {
  clip(call, call.optional_input("min"), call.optional_input("max"));
}

void hardsigmoid(TranslatedCall& call) {
  call.give("HardSigmoid", {call.input(input_of(call))}, {{"alpha", 1.0f / 6}, {"beta", 0.5f}});
}

void silu(TranslatedCall& call) {
  const std::string x = call.input(input_of(call));
  call.give("Mul", {x, call.add("Sigmoid", {x})});
}

void mish(TranslatedCall& call) {
  const std::string x = call.input(input_of(call));
  call.give("Mul", {x, call.add("Tanh", {call.add("Softplus", {x})})});
}

// x Phi(x), Phi(x) = (1 + erf(x / sqrt(2))) / 2; or its approximation
// Phi(x) ~ (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
void gelu(TranslatedCall& call) {
  const std::string x = call.input(input_of(call));
  const auto number = [&](double value) { return call.onnx().number(value); };
  std::string s;
  if (call.text("approximate") == "tanh") {
    const std::string cube = call.add("Mul", {call.add("Mul", {x, x}), x});
    const std::string sum = call.add("Add", {x, call.add("Mul", {cube, number(0.044715)})});
    s = call.add("Tanh", {call.add("Mul", {sum, number(std::sqrt(2 / std::numbers::pi))})});
  } else {
    s = call.add("Erf", {call.add("Div", {x, number(std::numbers::sqrt2)})});
  }
  const std::string twice = call.add("Mul", {x, call.add("Add", {s, number(1)})});
  call.give("Mul", {twice, number(0.5)});
}

void leaky_relu(TranslatedCall& call) {
  call.give("LeakyRelu", {call.input(input_of(call))},
            {{"alpha", static_cast<float>(call.real("negative_slope"))}});
}

void elu(TranslatedCall& call) {
  if (call.real("scale") != 1 || call.real("input_scale") != 1) call.refuse("has scales");
  call.give("Elu", {call.input(input_of(call))},
            {{"alpha", static_cast<float>(call.real("alpha"))}});
}

// One slope, or one for each channel (dimension 1).
void prelu(TranslatedCall& call) {
  std::vector<TracedSize> shape(static_cast<size_t>(std::max<int64_t>(1, call.rank("self") - 1)));
  shape[0].size = call.size("weight", 0);
  call.give("PRelu", {call.input("self"), call.reshaped(call.input("weight"), shape)});
}

void rsqrt(TranslatedCall& call) {
  call.give("Reciprocal", {call.add("Sqrt", {call.input("self")})});
}

}  // namespace

const Translations& activation_operators() {
  static const Translations all = {{"abs", plain<kAbs>},
                                   {"clamp", clamp},
                                   {"clamp_max", clamp},
                                   {"clamp_min", clamp},
                                   {"elu", elu},
                                   {"erf", plain<kErf>},
                                   {"exp", plain<kExp>},
                                   {"floor", plain<kFloor>},
                                   {"gelu", gelu},
                                   {"hardsigmoid", hardsigmoid},
                                   {"hardswish", plain<kHardSwish>},
                                   {"hardtanh", hardtanh},
                                   {"leaky_relu", leaky_relu},
                                   {"log", plain<kLog>},
                                   {"mish", mish},
                                   {"neg", plain<kNeg>},
                                   {"prelu", prelu},
                                   {"relu", plain<kRelu>},
                                   {"relu6", relu6},
                                   {"rsqrt", rsqrt},
                                   {"sigmoid", plain<kSigmoid>},
                                   {"silu", silu},
                                   {"softplus", plain<kSoftplus>},
                                   {"sqrt", plain<kSqrt>},
                                   {"tanh", plain<kTanh>}};
  return all;
}

}  // namespace qbitopt
