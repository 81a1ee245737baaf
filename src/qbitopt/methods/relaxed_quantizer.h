#pragma once

#include <memory>
#include <vector>

#include "qbitopt/quant/cached_integer.h"
#include "qbitopt/quant/quantizer.h"
#include "qbitopt/quant/range_search.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

// What the quantizers of methods share that learn bit-widths by gradient descent: the absorbed
// activation, the learned offset where the spec has one, calibration, and two states. At first the
// bit-width is relaxed, something that training moves; set_bits() ends that and leaves an integer.
// A method's own quantizer derives from this and says how values are rounded.
//
// Parameter "offset" ([1], only where the spec has one); buffer "bits" ([1], int64; 0 while
// relaxed), so that a checkpoint carries the state.
class RelaxedQuantizer : public Quantizer {
 public:
  // `init`: how the first range is found.
  RelaxedQuantizer(QuantizerSpec spec, RangeInit init);

  torch::Tensor forward(const torch::Tensor& x) final;
  // While relaxed: the candidate that the search would end with now.
  int bits() const final;
  void set_bits(int bits) override;
  bool is_relaxed() const { return bits_in_buffer_.read(bits_) == 0; }
  void begin_calibration() final;
  // Throws InputError if no data came since begin_calibration().
  void end_calibration() final;

  // Where the search is: a scalar, with a graph.
  virtual torch::Tensor relaxed_bits() const = 0;
  // What training moves beside the weights: the search's variables, and range and offset. Each is
  // a group of ExtraParameters.
  virtual std::vector<torch::Tensor> bit_parameters() const = 0;
  virtual std::vector<torch::Tensor> range_parameters() const;

 protected:
  // a: the tensor after the absorbed activation, less the offset.
  virtual torch::Tensor quantize(const torch::Tensor& a) = 0;
  // Sets the first range; `observer` saw the calibration's `a`.
  virtual void fit(const RangeObserver& observer) = 0;
  virtual int nearest_bits() const;

  const std::vector<int>& candidates() const { return spec().candidate_bits; }
  // The highest value of the error-optimal grid with these bits; on a signed grid the lowest is its
  // negative.
  double fitted_limit(const RangeObserver& observer, int bits) const;

 private:
  RangeInit init_;
  torch::Tensor offset_;
  torch::Tensor bits_;
  CachedInteger bits_in_buffer_;
  std::unique_ptr<RangeObserver> observer_;  // during calibration
};

// The candidate nearest to `bits`; of two equally near ones the smaller. candidates: ascending.
int nearest_candidate(const std::vector<int>& candidates, double bits);
// The largest one that is not above `bits`; the smallest if all are.
int candidate_below(const std::vector<int>& candidates, double bits);

}  // namespace qbitopt
