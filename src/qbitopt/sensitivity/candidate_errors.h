#pragma once

#include <vector>

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// How far quantization alone moves the elements of one tensor: a weight as it is, an activation
// over the images.
struct TensorError {
  std::vector<double> mean_squares;   // of each candidate: mean of (Q(x) - x)^2 over elements
  std::vector<torch::Tensor> ranges;  // of each candidate: the width it was taken at
  double power = 0;                   // mean of x^2 over elements
  double movable = 0;                 // fraction of elements that rounding can move: see can_move()
};

// True where rounding can move an element of `a`. Every grid without an offset holds 0, so an exact
// zero (after a ReLU, or of a pruned weight) stays where it is, at any bits and width.
torch::Tensor can_move(const UniformQuantizer& quantizer, const torch::Tensor& a);

// Of every quantizer, from one forward pass over the batches. Of an activation at most 8192
// elements a batch count, evenly spread.
std::vector<TensorError> candidate_errors(SensitivityContext& context,
                                          const UniformQuantizers& quantizers, Stage stage,
                                          const LabeledBatches& batches);

}  // namespace qbitopt
