#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/quant/uniform_quantizer.h"
#include "qbitopt/sensitivity/sensitivity.h"

namespace qbitopt {

using UniformQuantizers = std::vector<std::shared_ptr<UniformQuantizer>>;
using LabeledBatches = std::vector<std::pair<torch::Tensor, torch::Tensor>>;

// What a measurement takes the other quantizers and the widths to be.
enum class Stage {
  kBeforeTraining,  // no quantizer is at work yet, and each candidate gets the first width that
                    // calibration would give it (quantizers.range_init): what the start does
  kTraining,        // every quantizer works at its present bits, and a change of bits does with the
                    // width what set_bits() does: what a reallocation does, and the start of a
                    // network that was trained with quantizers
};

// A metric that gathers nothing while it trains, but measures when it is asked: before training and
// at every `every`-th reallocation; in between its last table stands, unless it is forgotten.
class MeasuredSensitivity : public Sensitivity {
 public:
  // name: of the metric, for messages.
  MeasuredSensitivity(std::string name, int every) : name_(std::move(name)), every_(every) {}

  CostTable estimate(SensitivityContext& context) override;
  CostTable current(SensitivityContext& context) override;
  void forget(const std::vector<QuantizerPtr>&) override { calls_ = 0; }
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive) override;

 protected:
  virtual CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                            Stage stage) = 0;

  const std::string& name() const { return name_; }
  // The first `samples` images of the calibration set (all: 0), in its batches, the last one cut.
  // Throws InputError if there are fewer.
  LabeledBatches first_samples(SensitivityContext& context, int64_t samples) const;
  // Throws JobError that names the quantizer: nothing that was measured for it is finite.
  [[noreturn]] void fail_non_finite(const Quantizer& quantizer, int64_t values) const;

 private:
  std::string name_;
  int every_;
  int64_t calls_ = 0;  // of current() since the last table was forgotten
  CostTable last_;     // without its note and accuracy, which are told once
};

// The same images in the same order, at most `largest` at once.
LabeledBatches in_parts(const LabeledBatches& batches, int64_t largest);

// "a, b, c", from the sixth name on "a, b, c, d, e and 2 more".
std::string first_few(const std::vector<std::string>& names);

// "3.1%" for 0.031: two significant digits.
std::string percent(double fraction);

// "<count> of <total> <things> were not finite and left out"; empty for 0.
std::string non_finite_note(int64_t count, int64_t total, const std::string& things);

// Takes the quantizers' places in the network while it lives. At its end all are as before.
class Taps {
 public:
  explicit Taps(const UniformQuantizers& quantizers) : quantizers_(quantizers) {}
  ~Taps();
  Taps(const Taps&) = delete;
  Taps& operator=(const Taps&) = delete;

  // What quantizer q does from now on (see UniformQuantizer::set_tap); null: its ordinary work.
  void set(size_t q, UniformQuantizer::Tap tap) { quantizers_[q]->set_tap(std::move(tap)); }
  // kBeforeTraining: hands the tensor on as it is; kTraining: its ordinary work.
  void set(size_t q, Stage stage);
  void set_all(Stage stage);

 private:
  const UniformQuantizers& quantizers_;
};

}  // namespace qbitopt
