#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/sensitivity/hessian_eigenvalue.h"
#include "qbitopt/sensitivity/hessian_trace.h"
#include "qbitopt/sensitivity/loss_curvature.h"
#include "sensitivity/small_resnet.h"
#include "sensitivity/tiny_network.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;
using torch::Tensor;

// The whole block H_qq of the tiny network in full precision over the entries that are not exactly
// 0, entry by entry in float64: centered differences of the gradient, which autograd takes once.
Tensor dense_hessian(const TinyNetwork& network, int q, int64_t samples) {
  const Tensor labels = network.labels.slice(0, 0, samples);
  const Tensor x = network.images.slice(0, 0, samples).to(torch::kFloat64);
  const Tensor W1 = network.W1.detach().to(torch::kFloat64);
  const Tensor W2 = network.W2.detach().to(torch::kFloat64);
  const Tensor tensors[] = {x, W1, torch::relu(torch::linear(x, W1)), W2};
  const auto gradient = [&](const Tensor& at) {
    const Tensor variable = at.clone().requires_grad_();
    const Tensor logits = q == 0   ? network.plain(variable, W1, W2)
                          : q == 1 ? network.plain(x, variable, W2)
                          : q == 2 ? torch::linear(variable, W2)
                                   : network.plain(x, W1, variable);
    torch::cross_entropy_loss(logits, labels).backward();
    return variable.grad().reshape({-1});
  };
  const Tensor& point = tensors[q];
  const int64_t n = point.numel();
  const double h = 1e-6;
  std::vector<Tensor> columns;
  for (int64_t i = 0; i < n; ++i) {
    Tensor step = torch::zeros({n}, torch::kFloat64);
    step[i] = h;
    step = step.view_as(point);
    columns.push_back((gradient(point + step) - gradient(point - step)) / (2 * h));
  }
  const Tensor movable = point.reshape({-1}).ne(0);
  return torch::stack(columns, 1) * movable * movable.unsqueeze(1);
}

// Spearman's correlation of values without ties.
double spearman(const std::vector<double>& a, const std::vector<double>& b) {
  const auto ranks = [](const std::vector<double>& values) {
    return torch::tensor(values, torch::kFloat64).argsort().argsort().to(torch::kFloat64);
  };
  return torch::corrcoef(torch::stack({ranks(a), ranks(b)}))[0][1].item<double>();
}

double trace_of(const Tensor& matrix) { return matrix.trace().item<double>(); }

TEST(LossCurvatureTest, ProductsAreThoseOfTheFullHessian) {
  const TinyNetwork network;
  const auto quantizers = network.uniform();
  SensitivityContext context = network.context();
  const LossCurvature curvature("a metric", context, quantizers, Stage::kBeforeTraining,
                                network.images.slice(0, 0, 8), network.labels.slice(0, 0, 8));
  for (int q = 0; q < 4; ++q) {
    const Tensor H = dense_hessian(network, q, 8);
    const Tensor v = torch::randn_like(curvature.tensors()[q]);
    const Tensor expected = H.matmul(v.reshape({-1}).to(torch::kFloat64));
    const Tensor product = curvature.own_product(q, v).reshape({-1}).to(torch::kFloat64);
    EXPECT_TRUE(torch::allclose(product, expected, 1e-4, 1e-6)) << q;
  }
}

TEST(LossCurvatureTest, ExactZerosHaveNoPart) {
  const TinyNetwork network;
  const auto quantizers = network.uniform();
  SensitivityContext context = network.context();
  for (const Stage stage : {Stage::kBeforeTraining, Stage::kTraining}) {
    const LossCurvature curvature("a metric", context, quantizers, stage, network.images,
                                  network.labels);
    const Tensor& h = curvature.tensors()[2];
    const Tensor is_zero = curvature.movable(2).logical_not();
    EXPECT_GT(is_zero.sum().item<int64_t>(), 0);
    EXPECT_TRUE(h.masked_select(is_zero).eq(0).all().item<bool>());
    // What was rounded to 0 has an error.
    EXPECT_EQ(h.eq(0).sum().item<int64_t>() > is_zero.sum().item<int64_t>(),
              stage == Stage::kTraining);
    EXPECT_EQ(curvature.own_product(2, is_zero.to(torch::kFloat32)).abs().sum().item<double>(), 0);
  }
}

// The last layer's block has a closed form, also where the tensors are quantized:
//
//   S_i = diag(p_i) - p_i p_i'
//   H = mean of S_i (x) h_i h_i' for the weight, W' S_i W for the input
TEST(LossCurvatureTest, PassesThroughQuantizersWhileTraining) {
  const TinyNetwork network(/*bits=*/3);
  const auto quantizers = network.uniform();
  SensitivityContext context = network.context();
  const LossCurvature curvature("a metric", context, quantizers, Stage::kTraining, network.images,
                                network.labels);
  torch::NoGradGuard no_grad;
  const Tensor a =
      torch::linear(network.input->forward(network.images), network.weight1->forward(network.W1));
  const Tensor h = network.hidden->forward(a), movable = a.gt(0);
  const Tensor W = network.weight2->forward(network.W2);
  const Tensor p = torch::softmax(torch::linear(h, W), 1);
  EXPECT_TRUE(torch::allclose(curvature.tensors()[2], h));
  const Tensor V = torch::randn_like(W), U = torch::randn_like(h) * movable;
  const Tensor z = torch::linear(h, V), y = torch::linear(U, W);
  const auto S = [&](const Tensor& t) { return p * t - p * (p * t).sum(1, true); };
  EXPECT_TRUE(torch::allclose(curvature.own_product(3, V), S(z).t().matmul(h) / 32, 1e-4, 1e-6));
  EXPECT_TRUE(
      torch::allclose(curvature.own_product(2, U), S(y).matmul(W) * movable / 32, 1e-4, 1e-6));
}

TEST(LossCurvatureTest, AShortcutIsNoPartOfTheQuantizedTensor) {
  SmallResNet net;
  net.network->to(torch::kFloat64);
  net.network->eval();
  const Tensor images = net.images.slice(0, 0, 4).to(torch::kFloat64);
  const Tensor labels = net.labels.slice(0, 0, 4);
  SensitivityContext context = net.context(4);
  const LossCurvature curvature("a metric", context, net.uniform, Stage::kBeforeTraining, images,
                                labels);
  // The input of layer1.0.conv1 is read by the shortcut as well. The second derivative along v is
  // that of the loss when v is added to what the convolution alone reads.
  size_t q = 0;
  while (net.quantizers[q]->spec().name != "layer1.0.conv1.input") ++q;
  const Tensor v = torch::randn_like(curvature.tensors()[q]) * curvature.movable(q);
  const double second = (v * curvature.own_product(q, v)).sum().item<double>();
  Taps taps(net.uniform);
  const auto slope_at = [&](double where) {
    const Tensor t = torch::full({1}, where, torch::kFloat64).requires_grad_();
    taps.set_all(Stage::kBeforeTraining);
    taps.set(q, [=](const Tensor& a) { return a + t * v; });
    const Tensor loss = torch::cross_entropy_loss(net.network->forward(images), labels);
    return torch::autograd::grad({loss}, {t})[0].item<double>();
  };
  const double h = 1e-7;  // too small to reach the kink of a ReLU
  EXPECT_NEAR((slope_at(h) - slope_at(-h)) / (2 * h), second, 1e-4 * std::abs(second));
}

TEST(HessianTraceTest, LiesWithinItsVectorErrorOfTheFullTraceOverSeeds) {
  const TinyNetwork network;
  const auto quantizers = network.uniform();
  const int64_t samples = 8;
  std::vector<double> exact;
  for (int q = 0; q < 4; ++q) exact.push_back(trace_of(dense_hessian(network, q, samples)));
  std::vector<double> sums(4, 0.0), squared_errors(4, 0.0);
  double squared_scores = 0;
  const int seeds = 20;
  for (int seed = 0; seed < seeds; ++seed) {
    SensitivityContext context = network.context(samples);
    context.seed = seed;
    HessianTrace metric({.samples = samples, .tolerance = 0, .vectors = 64});
    const auto estimates = metric.traces(context, quantizers, Stage::kBeforeTraining);
    for (int q = 0; q < 4; ++q) {
      const double score = (estimates[q].trace - exact[q]) / estimates[q].vector_error;
      EXPECT_LT(std::abs(score), 4) << q << ", seed " << seed;
      squared_scores += score * score / (4 * seeds);
      sums[q] += estimates[q].trace;
      squared_errors[q] += estimates[q].vector_error * estimates[q].vector_error;
    }
  }
  // 80 scores of variance 1: their mean square is 1 within 0.16.
  EXPECT_NEAR(squared_scores, 1, 0.5);
  for (int q = 0; q < 4; ++q) {
    EXPECT_NEAR(sums[q] / seeds, exact[q], 3 * std::sqrt(squared_errors[q]) / seeds) << q;
  }
}

TEST(HessianTraceTest, CostIsHalfTheTraceTimesTheMeanSquaredError) {
  const TinyNetwork network;
  const auto quantizers = network.uniform();
  SensitivityContext context = network.context();
  HessianTrace metric({.samples = 32, .tolerance = 0, .vectors = 16});
  metric.current(context);
  const CostTable table = metric.current(context);
  const auto estimates = metric.traces(context, quantizers, Stage::kTraining);
  EXPECT_EQ(table.unit, "nats");
  for (const int q : {1, 3}) {
    const Tensor& W = q == 1 ? network.W1 : network.W2;
    for (int i = 0; i < 7; ++i) {
      const Tensor rounded = fake_quantize(W, torch::full({1}, 2.0f), Grid::make(i + 2, true));
      const double error = (rounded - W).square().mean(torch::kFloat64).item<double>();
      const double expected = estimates[q].trace / 2 * error;
      EXPECT_NEAR(table.costs[q][i], expected, 1e-4 * expected) << q << " at " << i + 2;
    }
  }
}

TEST(HessianTraceTest, StandardErrorIsTheSpreadOverImages) {
  TinyNetwork network;
  const auto quantizers = network.uniform();
  const int draws = 60;
  std::vector<double> sums(4, 0.0), squares(4, 0.0), squared_errors(4, 0.0);
  for (int draw = 0; draw < draws; ++draw) {
    network.images = torch::randn({32, 3});
    network.labels = torch::randint(4, {32});
    SensitivityContext context = network.context();
    context.seed = draw;
    HessianTrace metric({.samples = 32, .tolerance = 0, .vectors = 2});
    const auto estimates = metric.traces(context, quantizers, Stage::kBeforeTraining);
    for (int q = 0; q < 4; ++q) {
      sums[q] += estimates[q].trace / draws;
      squares[q] += estimates[q].trace * estimates[q].trace / draws;
      squared_errors[q] += estimates[q].standard_error * estimates[q].standard_error / draws;
    }
  }
  for (int q = 0; q < 4; ++q) {  // a variance of 60 draws is known to 20%
    const double variance = (squares[q] - sums[q] * sums[q]) * draws / (draws - 1);
    EXPECT_GT(squared_errors[q], 0.5 * variance) << q;
    EXPECT_LT(squared_errors[q], 2 * variance) << q;
  }
}

TEST(HessianTraceTest, AnActivationCostsNothingWhereItIsExactlyZero) {
  const TinyNetwork network;
  const auto quantizers = network.uniform();
  SensitivityContext context = network.context();
  HessianTrace metric({.samples = 32, .tolerance = 0, .vectors = 16});
  metric.current(context);
  const CostTable table = metric.current(context);
  const TraceEstimate estimate = metric.traces(context, quantizers, Stage::kTraining)[2];
  torch::NoGradGuard no_grad;
  const Tensor a = torch::relu(
      torch::linear(network.input->forward(network.images), network.weight1->forward(network.W1)));
  for (int i = 0; i < 7; ++i) {
    const Tensor rounded = fake_quantize(a, torch::full({1}, 3.0f), Grid::make(i + 2, false));
    const Tensor errors = (rounded - a).square().masked_select(a.gt(0));
    const double expected = estimate.trace / 2 * errors.mean(torch::kFloat64).item<double>();
    EXPECT_NEAR(table.costs[2][i], expected, 1e-4 * expected) << i + 2;
  }
}

TEST(HessianTraceTest, EachTensorStopsAtItsOwnError) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  const auto quantizers = network.uniform();
  HessianTrace metric({.samples = 32, .tolerance = 0.05, .vectors = 1000});
  const auto estimates = metric.traces(context, quantizers, Stage::kBeforeTraining);
  for (int q = 0; q < 4; ++q) {
    const double exact = trace_of(dense_hessian(network, q, 32));
    EXPECT_LE(estimates[q].vector_error, 0.05 * estimates[q].trace) << q;
    EXPECT_NEAR(estimates[q].trace, exact, 4 * 0.05 * exact) << q;
    EXPECT_LT(estimates[q].vectors, 1000) << q;
  }
  EXPECT_NE(estimates[0].vectors, estimates[3].vectors);
}

// The tiny network with a product of two entries of its first weight (each less its value) added to
// a logit: a block with a pair of entries beside the diagonal, large beside its trace, which bring
// one eigenvalue of each sign.
SensitivityContext with_indefinite_block(const TinyNetwork& network, double factor) {
  SensitivityContext context = network.context();
  context.forward = [&network, factor](const Tensor& x) {
    const Tensor w1 = network.weight1->forward(network.W1);
    const Tensor h = torch::linear(network.input->forward(x), w1);
    const Tensor logits =
        torch::linear(network.hidden->forward(h), network.weight2->forward(network.W2));
    const Tensor far = w1[0][0] - w1[0][0].detach(), other = w1[1][1] - w1[1][1].detach();
    return logits + factor * far * other * torch::tensor({1.0f, 0.0f, 0.0f, 0.0f});
  };
  return context;
}

TEST(HessianTraceTest, ATraceThatTooFewVectorsDoNotResolveIsNamedAndNotZero) {
  TinyNetwork network;
  network.labels.fill_(3);
  SensitivityContext context = with_indefinite_block(network, 60);
  HessianTrace few({.samples = 32, .tolerance = 0.05, .vectors = 2});
  const CostTable table = few.estimate(context);
  EXPECT_THAT(table.note, HasSubstr("1 of 4 Hessian traces are not beyond two standard errors: "
                                    "fc1.weight ("));
  EXPECT_THAT(table.note, HasSubstr("raise hessian_trace.samples or hessian_trace.vectors"));
  EXPECT_THAT(table.accuracy, HasSubstr("at most (fc1.weight); 2 to 2 vectors"));
  for (const auto& row : table.costs) {
    for (const double cost : row) EXPECT_GT(cost, 0);
  }
  HessianTrace many({.samples = 32, .tolerance = 0.05, .vectors = 4000});
  EXPECT_EQ(many.estimate(context).note, "");
}

TEST(HessianTraceTest, SeedsAgreeOnANetworkWithBatchNorm) {
  SmallResNet net(/*count=*/384);
  net.train(60);
  std::vector<std::vector<double>> costs;
  HessianTrace metric({.samples = 128});
  if (metric.uses_running_statistics()) net.network->eval();
  const Tensor images = net.images, labels = net.labels;
  for (int seed = 0; seed < 3; ++seed) {
    net.images = images.slice(0, 128 * seed, 128 * (seed + 1));
    net.labels = labels.slice(0, 128 * seed, 128 * (seed + 1));
    SensitivityContext context = net.context(64);
    context.seed = seed;
    const CostTable table = metric.estimate(context);
    EXPECT_EQ(table.note, "") << seed;
    costs.emplace_back();
    for (const auto& row : table.costs) {
      EXPECT_GT(row[1], 0);
      costs.back().push_back(row[1]);  // at 3 bits
    }
  }
  for (int seed = 0; seed < 3; ++seed) {
    EXPECT_GE(spearman(costs[seed], costs[(seed + 1) % 3]), 0.9) << seed;
  }
}

// Largest eigenvalues of the blocks of `size` on the diagonal, in float64.
Tensor largest_of_blocks(const Tensor& H, int64_t size) {
  std::vector<Tensor> largest;
  for (int64_t i = 0; i < H.size(0); i += size) {
    const Tensor block = H.slice(0, i, i + size).slice(1, i, i + size);
    largest.push_back(torch::linalg_eigvalsh((block + block.t()) / 2, "L").max());
  }
  return torch::stack(largest);
}

// Of a weight that of the batch, of an activation the mean of the images'.
TEST(HessianEigenvalueTest, IsTheLargestOfADenseSolver) {
  const TinyNetwork network;
  const auto quantizers = network.uniform();
  SensitivityContext context = network.context(8);
  HessianEigenvalue metric({.samples = 8, .tolerance = 1e-4, .iterations = 50});
  const auto found = metric.eigenvalues(context, quantizers, Stage::kBeforeTraining);
  for (int q = 0; q < 4; ++q) {
    const Tensor H = dense_hessian(network, q, 8);
    const int64_t images = q % 2 == 0 ? 8 : 1, elements = H.size(0) / images;
    const double largest = largest_of_blocks(H * images, elements).mean().item<double>();
    EXPECT_NEAR(found[q].eigenvalue, largest, 1e-3 * largest) << q;
    EXPECT_NEAR(found[q].times_elements, largest * elements, 1e-3 * largest * elements);
    EXPECT_LE(found[q].residual, 1e-4 * largest);
  }
}

TEST(HessianEigenvalueTest, FindsTheLargestBesideALargerNegativeOne) {
  TinyNetwork network;
  network.labels.fill_(0);  // their logit rises: the loss falls along far = other
  const auto quantizers = network.uniform();
  SensitivityContext context = with_indefinite_block(network, 60);
  HessianEigenvalue metric({.samples = 32, .tolerance = 1e-4, .iterations = 50});
  const LargestEigenvalue found =
      metric.eigenvalues(context, quantizers, Stage::kBeforeTraining)[1];
  const LossCurvature curvature("a metric", context, quantizers, Stage::kBeforeTraining,
                                network.images, network.labels);
  std::vector<Tensor> columns;
  for (int i = 0; i < 18; ++i) {
    Tensor unit = torch::zeros({18});
    unit[i] = 1;
    columns.push_back(curvature.own_product(1, unit.view({6, 3})).reshape({-1}));
  }
  const Tensor H = torch::stack(columns, 1).to(torch::kFloat64);
  const Tensor values = torch::linalg_eigvalsh((H + H.t()) / 2, "L");
  const double largest = values.max().item<double>();
  EXPECT_LT(values.min().item<double>(), 0);
  EXPECT_NEAR(found.eigenvalue, largest, 1e-3 * largest);
}

TEST(HessianEigenvalueTest, WhatHasNotConvergedIsNamedWithItsResidual) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  const CostTable table =
      HessianEigenvalue({.samples = 32, .tolerance = 0.01, .iterations = 1}).estimate(context);
  EXPECT_THAT(table.note, HasSubstr("4 of 4 Hessian eigenvalues have not converged within "
                                    "hessian_eigenvalue.tolerance: fc1.input (residual "));
  EXPECT_THAT(table.note, HasSubstr("; raise hessian_eigenvalue.iterations"));
  const CostTable converged = HessianEigenvalue({.samples = 32}).estimate(context);
  EXPECT_EQ(converged.note, "");
  EXPECT_THAT(converged.accuracy, HasSubstr("Hessian eigenvalues: residual "));
}

TEST(HessianEigenvalueTest, SeedsAgreeOnANetworkWithBatchNorm) {
  SmallResNet net(/*count=*/128);
  net.train(60);
  std::vector<std::vector<double>> costs;
  HessianEigenvalue metric;
  if (metric.uses_running_statistics()) net.network->eval();
  const Tensor images = net.images, labels = net.labels;
  for (int seed = 0; seed < 2; ++seed) {
    net.images = images.slice(0, 64 * seed, 64 * (seed + 1));
    net.labels = labels.slice(0, 64 * seed, 64 * (seed + 1));
    SensitivityContext context = net.context(64);
    context.seed = seed;
    costs.emplace_back();
    for (const auto& row : metric.estimate(context).costs) costs.back().push_back(row[1]);
  }
  EXPECT_GE(spearman(costs[0], costs[1]), 0.9);
}

TEST(HessianEigenvalueTest, CostIsHalfTheEigenvalueTimesTheSquaredPerturbation) {
  const TinyNetwork network;
  const auto quantizers = network.uniform();
  SensitivityContext context = network.context();
  HessianEigenvalue metric({.samples = 32, .tolerance = 1e-5, .iterations = 50});
  const CostTable table = metric.current(context);
  const auto largest = metric.eigenvalues(context, quantizers, Stage::kTraining);
  const Tensor rounded = fake_quantize(network.W2, torch::full({1}, 2.0f), Grid::make(3, true));
  const double squares = (rounded - network.W2).square().sum(torch::kFloat64).item<double>();
  EXPECT_NEAR(table.costs[3][1], largest[3].eigenvalue / 2 * squares, 1e-4 * table.costs[3][1]);
}

// Answers with a constant gradient: linear in its input, so no second derivative.
struct Linear : torch::autograd::Function<Linear> {
  static Tensor forward(torch::autograd::AutogradContext*, const Tensor& x) { return x.clone(); }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext*,
                                               torch::autograd::tensor_list gradients) {
    return {gradients[0].detach()};  // as an operation of one derivative does
  }
};

TEST(LossCurvatureTest, ALayerWithoutSecondDerivativesIsAnErrorThatNamesTheQuantizer) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  const auto forward = context.forward;
  context.forward = [=](const Tensor& x) { return Linear::apply(forward(x)); };
  try {
    HessianTrace({.samples = 32}).estimate(context);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("sensitivity 'hessian_trace' needs second derivatives of "
                                        "the loss, which do not exist at quantizer 'fc"));
    EXPECT_THAT(error.what(), HasSubstr("on cpu: its gradient is a constant"));
    EXPECT_THAT(error.what(), HasSubstr("choose a metric without them: fit"));
  }
}

TEST(HessianTraceTest, ANetworkThatIsNotFiniteIsAnErrorThatNamesTheQuantizer) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  const auto forward = context.forward;
  context.forward = [=](const Tensor& x) {
    return forward(x) * std::numeric_limits<float>::infinity();
  };
  for (const bool trace : {true, false}) {
    try {
      if (trace) {
        HessianTrace({.samples = 32}).estimate(context);
      } else {
        HessianEigenvalue({.samples = 32}).estimate(context);
      }
      FAIL();
    } catch (const JobError& error) {
      EXPECT_EQ(error.error_class(), "non_finite");
      EXPECT_THAT(error.what(), HasSubstr("measured for quantizer 'fc1.input' is finite"));
    }
  }
}

}  // namespace
}  // namespace qbitopt
