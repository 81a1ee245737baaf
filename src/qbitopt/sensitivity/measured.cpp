#include "qbitopt/sensitivity/measured.h"

#include <algorithm>
#include <cstdio>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/sensitivity/uniform_quantizers.h"

namespace qbitopt {

using torch::Tensor;

CostTable MeasuredSensitivity::estimate(SensitivityContext& context) {
  return measure(context, uniform_quantizers(name_, context.quantizers),
                 context.keeps_ranges ? Stage::kTraining : Stage::kBeforeTraining);
}

CostTable MeasuredSensitivity::current(SensitivityContext& context) {
  if (calls_++ % every_ != 0) return last_;
  CostTable table =
      measure(context, uniform_quantizers(name_, context.quantizers), Stage::kTraining);
  last_ = {.costs = table.costs, .unit = table.unit};
  return table;
}

void MeasuredSensitivity::save(torch::serialize::OutputArchive& archive) const {
  const Json state = {{"calls", calls_}, {"costs", last_.costs}, {"unit", last_.unit}};
  archive.write("sensitivity", c10::IValue(state.dump()));
}

void MeasuredSensitivity::load(torch::serialize::InputArchive& archive) {
  c10::IValue text;
  archive.read("sensitivity", text);
  const Json state = Json::parse(text.toStringRef());
  state.at("calls").get_to(calls_);
  state.at("costs").get_to(last_.costs);
  state.at("unit").get_to(last_.unit);
}

LabeledBatches MeasuredSensitivity::first_samples(SensitivityContext& context,
                                                  int64_t samples) const {
  LabeledBatches batches;
  int64_t found = 0;
  for (const auto& [images, labels] : context.batches()) {
    const int64_t wanted = samples == 0 ? images.size(0) : samples - found;
    if (wanted == 0) break;
    const int64_t count = std::min(wanted, images.size(0));
    batches.emplace_back(images.slice(0, 0, count), labels.slice(0, 0, count));
    found += count;
  }
  if (found < samples || found == 0) {
    throw InputError("sensitivity '" + name_ + "' was asked for " + std::to_string(samples) +
                     " images, but the calibration set has " + std::to_string(found) + ": lower " +
                     name_ + ".samples, or raise calibration.batches or calibration.batch_size");
  }
  return batches;
}

LabeledBatches in_parts(const LabeledBatches& batches, int64_t largest) {
  LabeledBatches parts;
  for (const auto& [images, labels] : batches) {
    for (int64_t from = 0; from < images.size(0); from += largest) {
      parts.emplace_back(images.slice(0, from, from + largest),
                         labels.slice(0, from, from + largest));
    }
  }
  return parts;
}

std::string first_few(const std::vector<std::string>& names) {
  constexpr size_t kFew = 5;
  std::string text;
  for (size_t i = 0; i < std::min(kFew, names.size()); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kFew) text += " and " + std::to_string(names.size() - kFew) + " more";
  return text;
}

std::string percent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g%%", 100 * fraction);
  return text;
}

void MeasuredSensitivity::fail_non_finite(const Quantizer& quantizer, int64_t values) const {
  throw JobError("non_finite", "sensitivity '" + name_ + "': none of " + std::to_string(values) +
                                   " values measured for quantizer '" + quantizer.spec().name +
                                   "' is finite");
}

std::string non_finite_note(int64_t count, int64_t total, const std::string& things) {
  if (count == 0) return "";
  return std::to_string(count) + " of " + std::to_string(total) + " " + things +
         " were not finite and left out";
}

Taps::~Taps() {
  for (const auto& quantizer : quantizers_) quantizer->set_tap(nullptr);
}

void Taps::set(size_t q, Stage stage) {
  if (stage == Stage::kTraining) return set(q, UniformQuantizer::Tap());
  set(q, [](const Tensor& a) { return a; });
}

void Taps::set_all(Stage stage) {
  for (size_t q = 0; q < quantizers_.size(); ++q) set(q, stage);
}

}  // namespace qbitopt
