#pragma once

#include <cstdint>

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// Reads a buffer of one integer without waiting for the device each time: only after others wrote
// to it, or the loader of a checkpoint replaced it.
class CachedInteger {
 public:
  int read(const torch::Tensor& buffer) const {
    const auto version = static_cast<int64_t>(buffer._version());
    if (version_ != version || at_ != buffer.const_data_ptr()) {
      remember(buffer, buffer.item<int>());
    }
    return value_;
  }

  void write(torch::Tensor& buffer, int value) const {
    const torch::NoGradGuard no_grad;
    buffer.fill_(value);
    remember(buffer, value);
  }

 private:
  void remember(const torch::Tensor& buffer, int value) const {
    value_ = value;
    version_ = static_cast<int64_t>(buffer._version());
    at_ = buffer.const_data_ptr();
  }

  mutable int value_ = 0;  // what the buffer held at this version and place
  mutable int64_t version_ = -1;
  mutable const void* at_ = nullptr;
};

}  // namespace qbitopt
