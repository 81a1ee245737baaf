#include <cmath>
#include <numeric>

#include "qbitopt/exporting/operators.h"

namespace qbitopt {
namespace {

void product(TranslatedCall& call, const char* left, const char* right) {
  call.give("MatMul", {call.input(left), call.input(right)});
}
void matmul(TranslatedCall& call) { product(call, "self", "other"); }
void mm(TranslatedCall& call) { product(call, "self", "mat2"); }

void einsum(TranslatedCall& call) {
  call.give("Einsum", call.inputs("tensors"), {{"equation", call.text("equation")}});
}

void softmax(TranslatedCall& call) {
  call.give("Softmax", {call.input("self")}, {{"axis", call.dimension("dim", "self")}});
}
void log_softmax(TranslatedCall& call) {
  call.give("LogSoftmax", {call.input("self")}, {{"axis", call.dimension("dim", "self")}});
}

// What is added to the products: minus infinity where attention must not look.
std::string mask(TranslatedCall& call) {
  if (call.truth("is_causal")) {
    const int64_t rows = call.size("query", -2), columns = call.size("key", -2);
    const torch::Tensor looks = torch::ones({rows, columns}, torch::kBool).tril();
    return call.onnx().tensor(
        torch::zeros({rows, columns}).masked_fill(looks.logical_not(), -INFINITY), "causal_mask");
  }
  if (!call.has("attn_mask")) return "";
  const TracedValue& given = call.traced("attn_mask");
  if (given.type != torch::kBool) return call.input("attn_mask");
  if (!given.constant.defined()) call.refuse("has a mask of truths that depends on the images");
  return call.onnx().tensor(
      torch::zeros(given.constant.sizes()).masked_fill(given.constant.logical_not(), -INFINITY),
      "mask");
}

// softmax(q k^T / sqrt(d) + mask) v, over the last two dimensions.
void scaled_dot_product_attention(TranslatedCall& call) {
  if (call.truth("enable_gqa")) call.refuse("shares keys between heads, which is not translated");
  if (call.real("dropout_p") != 0) call.refuse("drops out in evaluation, too");
  const double scale = call.has("scale")
                           ? call.real("scale")
                           : 1 / std::sqrt(static_cast<double>(call.size("query", -1)));
  const auto rank = static_cast<size_t>(call.rank("key"));
  std::vector<int64_t> order(rank);
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[rank - 1], order[rank - 2]);
  const std::string query = call.add("Mul", {call.input("query"), call.onnx().number(scale)});
  const std::string keys = call.add("Transpose", {call.input("key")}, {{"perm", order}});
  std::string products = call.add("MatMul", {query, keys});
  if (const std::string added = mask(call); !added.empty())
    products = call.add("Add", {products, added});
  const std::string shares = call.add("Softmax", {products}, {{"axis", int64_t{-1}}});
  call.give("MatMul", {shares, call.input("value")});
}

}  // namespace

const Translations& attention_operators() {
  static const Translations all = {{"_softmax", softmax},
                                   {"bmm", mm},
                                   {"einsum", einsum},
                                   {"log_softmax", log_softmax},
                                   {"matmul", matmul},
                                   {"mm", mm},
                                   {"scaled_dot_product_attention", scaled_dot_product_attention},
                                   {"softmax", softmax}};
  return all;
}

}  // namespace qbitopt
