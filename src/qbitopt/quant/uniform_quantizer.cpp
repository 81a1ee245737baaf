#include "qbitopt/quant/uniform_quantizer.h"

#include <cmath>
#include <map>
#include <stdexcept>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/site.h"

namespace qbitopt {
namespace {

using torch::Tensor;

template <typename Value>
void read_choice(const Parameters& parameters, const std::string& name,
                 const std::map<std::string, Value>& choices, Value& value) {
  if (!parameters.has(name)) return;
  const auto text = parameters.get<std::string>(name);
  const auto found = choices.find(text);
  if (found == choices.end()) {
    std::vector<std::string> known;
    for (const auto& [choice, meaning] : choices) known.push_back(choice);
    throw InputError(unknown_name(name, text, known));
  }
  value = found->second;
}

}  // namespace

UniformQuantizerOptions UniformQuantizerOptions::from(const Parameters& parameters) {
  UniformQuantizerOptions options;
  read_choice(parameters, "quantizers.signed_grid",
              {{"full", SignedGrid::kFull}, {"symmetric", SignedGrid::kSymmetric}},
              options.signed_grid);
  options.per_channel_weights =
      parameters.get_or("quantizers.per_channel_weights", options.per_channel_weights);
  read_choice(parameters, "quantizers.range_init",
              {{"mse", RangeInit::kMse},
               {"minmax", RangeInit::kMinMax},
               {"percentile", RangeInit::kPercentile},
               {"lsq", RangeInit::kLsq}},
              options.range_init);
  read_choice(parameters, "quantizers.lsq_grad_n",
              {{"per_sample", LsqGradN::kPerSample}, {"numel", LsqGradN::kNumel}},
              options.lsq_grad_n);
  read_choice(parameters, "reallocation.range_at_change",
              {{"keep", RangeAtChange::kKeep}, {"refit", RangeAtChange::kRefit}},
              options.range_at_change);
  return options;
}

UniformQuantizer::UniformQuantizer(QuantizerSpec any_spec, UniformQuantizerOptions options)
    : Quantizer(std::move(any_spec)), options_(options) {
  const bool per_channel = options_.per_channel_weights && spec().kind == TensorKind::kWeight;
  const int64_t channels = per_channel ? spec().channels : 1;
  const int bits = spec().pinned_bits.value_or(spec().candidate_bits.back());
  range_ = register_parameter("range", torch::ones({channels}));
  if (spec().has_offset) offset_ = register_parameter("offset", torch::zeros({1}));
  bits_ = register_buffer("bits", torch::full({1}, bits, torch::kInt64));
  fisher_ = std::make_shared<FisherEstimate>(channels);
  fisher_->state() = register_buffer("fisher", fisher_->state());
}

Tensor UniformQuantizer::forward(const Tensor& x) {
  if (observer_) {
    const Tensor activated = apply_activation(spec().absorbs, x);
    observer_->observe(activated);
    return activated;
  }
  if (tap_) {
    const Tensor activated = apply_activation(spec().absorbs, x);
    return spec().has_offset ? tap_(activated - offset_) + offset_ : tap_(activated);
  }
  count_elements(x.sizes());
  if (sample_size_ > 0 && torch::GradMode::is_enabled()) {
    sample_ = range_.numel() == 1 ? spread_sample(x, sample_size_).unsqueeze(0)
                                  : x.detach().reshape({range_.numel(), -1});
    sample_ = apply_activation(spec().absorbs, sample_);
    if (spec().has_offset) sample_ = sample_ - offset_.detach();
  }
  if (spec().has_offset) {
    const Tensor above = apply_activation(spec().absorbs, x) - offset_;
    return fake_quantize(above, range_, grid(), Activation::kIdentity, tracked_) + offset_;
  }
  return fake_quantize(x, range_, grid(), spec().absorbs, tracked_);
}

std::optional<QuantizeStep> UniformQuantizer::joined_step(at::IntArrayRef shape) {
  if (!is_one_kernel()) return std::nullopt;
  count_elements(shape);
  return QuantizeStep{spec().absorbs, range_, grid(), tracked_};
}

bool UniformQuantizer::is_one_kernel() const {
  return !observer_ && !tap_ && !spec().has_offset && spec().absorbs != Activation::kHardSwish &&
         sample_size_ == 0;
}

void UniformQuantizer::count_elements(at::IntArrayRef shape) {
  const bool per_sample = spec().kind == TensorKind::kActivation &&
                          options_.lsq_grad_n == LsqGradN::kPerSample && !shape.empty();
  lsq_elements_ =
      c10::multiply_integers(shape) / std::max<int64_t>(1, per_sample ? shape[0] : range_.numel());
}

bool UniformQuantizer::takes_sixteen_bits(const Tensor& x) const {
  return is_one_kernel() && quantizes_sixteen_bits(x);
}

int UniformQuantizer::bits() const { return bits_in_buffer_.read(bits_); }

void UniformQuantizer::set_bits(int bits) {
  const int lowest = spec().is_signed ? 2 : 1;
  if (bits < lowest || bits > 16) {
    throw std::invalid_argument(spec().name + ": " + std::to_string(bits) + " bits; expected " +
                                std::to_string(lowest) + " to 16");
  }
  torch::NoGradGuard no_grad;
  range_.copy_(range_at(bits));
  bits_in_buffer_.write(bits_, bits);
}

Tensor UniformQuantizer::range_at(int bits) const {
  const Tensor range = range_.detach();
  if (options_.range_at_change == RangeAtChange::kKeep || bits == this->bits()) {
    return range.clone();
  }
  return range * (gaussian_range(grid_at(bits)) / gaussian_range(grid()));
}

void UniformQuantizer::begin_calibration() {
  observer_ = std::make_unique<RangeObserver>(range_.numel());
}

void UniformQuantizer::end_calibration() {
  const auto observer = std::move(observer_);
  if (!observer || observer->empty()) {
    throw InputError("quantizer '" + spec().name +
                     "' saw no data during calibration; calibrate with at least one batch that "
                     "passes through its layer");
  }
  torch::NoGradGuard no_grad;
  if (spec().has_offset) {
    const auto [range, offset] = observer->range_with_offset(options_.range_init, grid());
    range_.fill_(std::max(range, kRangeFloor));
    offset_.fill_(offset);
    return;
  }
  range_.copy_(observer->range(options_.range_init, grid()).clamp_min(kRangeFloor));
}

double UniformQuantizer::gradient_scale() const {
  return 1 / std::sqrt(static_cast<double>(std::max<int64_t>(1, lsq_elements_)) * grid().p);
}

void UniformQuantizer::track_fisher(bool on) { tracked_ = on ? fisher_ : nullptr; }

}  // namespace qbitopt
