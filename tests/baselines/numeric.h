#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// Standard normal values, the same every time; float32 or, for finite differences, float64.
inline torch::Tensor gaussian(at::IntArrayRef shape, torch::ScalarType type = torch::kFloat32) {
  return torch::randn(shape, at::detail::createCPUGenerator(7), torch::kFloat64).to(type);
}

// Expects d value() / d parameter[i] by backward to be what central differences say.
inline void expect_gradient(const torch::Tensor& parameter, int64_t i,
                            const std::function<torch::Tensor()>& value, double step,
                            double tolerance) {
  if (parameter.grad().defined()) parameter.mutable_grad().reset();
  value().backward();
  const double by_backward = parameter.grad().flatten()[i].item<double>();
  const torch::NoGradGuard no_grad;
  torch::Tensor entry = parameter.flatten()[i];
  const double before = entry.item<double>();
  entry.fill_(before + step);
  const double above = value().item<double>();
  entry.fill_(before - step);
  const double below = value().item<double>();
  entry.fill_(before);
  EXPECT_NEAR(by_backward, (above - below) / (2 * step), tolerance);
}

}  // namespace qbitopt
