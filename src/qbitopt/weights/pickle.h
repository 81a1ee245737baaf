#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace qbitopt {

// Of Python's values, those that matter for weights. Texts are parts of the pickle's bytes.

// A class or function: "collections", "OrderedDict".
struct PickledName {
  std::string_view module, name;
};

// Values of one type under a key, of which tensors are views.
struct PickledStorage {
  PickledName type;
  std::string_view key;
};

struct PickledTensor {
  PickledStorage storage;
  std::vector<int64_t> shape, strides;  // strides and offset in values
  int64_t offset = 0;
};

struct PickledDictionary;
struct PickledTuple;

// monostate: None and all that has no use here (floats, lists, large numbers).
using PickledValue =
    std::variant<std::monostate, int64_t, std::string_view, PickledName, PickledStorage,
                 const PickledTuple*, const PickledTensor*, PickledDictionary*>;

struct PickledTuple {
  std::vector<PickledValue> items;
};

// Also any object: what was put into it by key.
struct PickledDictionary {
  PickledName type;  // of an object; empty: a dictionary
  std::vector<std::pair<std::string_view, PickledValue>> entries;  // those whose key is a text

  const PickledValue* find(std::string_view key) const;  // the last; null if there is none
};

// Reads a pickle of protocols 2 to 5 as torch.save writes it. Nothing in it is run: calls make
// tensors, dictionaries and objects that hold nothing. Values may contain themselves.
class Pickle {
 public:
  // `bytes` must live as long as the values. Throws BadWeights.
  explicit Pickle(std::string_view bytes);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickledValue& value() const { return value_; }

 private:
  friend class Unpickler;

  // Values point to each other here; addresses stay.
  std::deque<PickledTuple> tuples_;
  std::deque<PickledTensor> tensors_;
  std::deque<PickledDictionary> dictionaries_;
  PickledValue value_;
};

}  // namespace qbitopt
