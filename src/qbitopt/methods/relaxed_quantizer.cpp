#include "qbitopt/methods/relaxed_quantizer.h"

#include <algorithm>
#include <cmath>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/site.h"

namespace qbitopt {

using torch::Tensor;

RelaxedQuantizer::RelaxedQuantizer(QuantizerSpec any_spec, RangeInit init)
    : Quantizer(std::move(any_spec)), init_(init) {
  if (spec().has_offset) offset_ = register_parameter("offset", torch::zeros({1}));
  bits_ = register_buffer("bits", torch::zeros({1}, torch::kInt64));
}

Tensor RelaxedQuantizer::forward(const Tensor& x) {
  const Tensor a = apply_activation(spec().absorbs, x);
  if (observer_) {
    observer_->observe(a);
    return a;
  }
  return spec().has_offset ? quantize(a - offset_) + offset_ : quantize(a);
}

int RelaxedQuantizer::bits() const {
  return is_relaxed() ? nearest_bits() : bits_in_buffer_.read(bits_);
}

int RelaxedQuantizer::nearest_bits() const {
  const torch::NoGradGuard no_grad;
  return nearest_candidate(candidates(), relaxed_bits().item<double>());
}

void RelaxedQuantizer::set_bits(int bits) { bits_in_buffer_.write(bits_, bits); }

std::vector<Tensor> RelaxedQuantizer::range_parameters() const {
  if (spec().has_offset) return {offset_};
  return {};
}

void RelaxedQuantizer::begin_calibration() { observer_ = std::make_unique<RangeObserver>(1); }

void RelaxedQuantizer::end_calibration() {
  const auto observer = std::move(observer_);
  if (!observer || observer->empty()) {
    throw InputError("quantizer '" + spec().name +
                     "' saw no data during calibration; calibrate with at least one batch that "
                     "passes through its layer");
  }
  const torch::NoGradGuard no_grad;
  if (!spec().has_offset) return fit(*observer);
  const Grid grid = Grid::make(bits(), /*is_signed=*/false);
  const double offset = observer->range_with_offset(init_, grid).offset;
  offset_.fill_(offset);
  RangeObserver above_offset(1);
  above_offset.observe((observer->sample() - offset).clamp_min(0));
  fit(above_offset);
}

double RelaxedQuantizer::fitted_limit(const RangeObserver& observer, int bits) const {
  const bool is_signed = spec().is_signed;
  const Grid grid = Grid::make(bits, is_signed, SignedGrid::kSymmetric);
  const double range = observer.range(init_, grid).item<double>();
  return std::max(is_signed ? range / 2 : range, kRangeFloor);
}

int nearest_candidate(const std::vector<int>& candidates, double bits) {
  return *std::min_element(candidates.begin(), candidates.end(),
                           [&](int a, int b) { return std::abs(a - bits) < std::abs(b - bits); });
}

int candidate_below(const std::vector<int>& candidates, double bits) {
  const auto above =
      std::find_if(candidates.begin(), candidates.end(), [&](int b) { return b > bits; });
  return above == candidates.begin() ? candidates.front() : *std::prev(above);
}

}  // namespace qbitopt
