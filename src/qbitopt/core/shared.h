#pragma once

#include <memory>
#include <utility>

namespace qbitopt {

// A value that many owners hold and none changes. As small as a pointer; without a value it is an
// empty one.
template <typename Value>
class Shared {
 public:
  Shared() = default;
  Shared(Value value) : value_(std::make_shared<const Value>(std::move(value))) {}

  const Value& operator*() const {
    static const Value kEmpty{};
    return value_ ? *value_ : kEmpty;
  }
  const Value* operator->() const { return &**this; }

  bool operator==(const Shared& other) const { return value_ == other.value_ || **this == *other; }

 private:
  std::shared_ptr<const Value> value_;
};

}  // namespace qbitopt
