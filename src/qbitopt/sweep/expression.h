#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "qbitopt/config/yaml.h"

namespace qbitopt {

// A condition on the keys of a job: "sensitivity == 'hessian_trace' and budget.average_bits < 3".
//
//   condition   comparison | key | not c | c and c | c or c | (c)
//   comparison  operand (== | != | < | <= | > | >=) operand
//               | operand in [operand, ...] | operand not in [...]
//   operand     key | number | 'text' | "text" | true | false | null | [number or text, ...]
//
// `and` binds tighter than `or`. A key that the job does not have is null: equal only to null, and
// neither above nor below anything. Numbers compare as numbers, texts by their letters, different
// types never (but ==, != say false, true). A key alone is true when it is neither null nor false.
class Expression {
 public:
  // The value of a key in a job; null if absent.
  using Lookup = std::function<const Json&(const std::string& key)>;

  // `text`: a scalar that is a string. Throws InputError at the character that does not fit, and if
  // the condition is nested more than 64 levels deep.
  static Expression parse(const YamlNode& text);

  bool holds(const Lookup& lookup) const;
  // The keys of the condition, each with the offset of its first occurrence in the text, in bytes.
  const std::map<std::string, size_t>& keys() const { return keys_; }
  // Where a key is compared with a value that the text gives.
  struct Comparison {
    std::string key;
    bool is_ordered;  // <, <=, > or >=
    Json value;
    size_t at;  // of the value, in bytes
  };
  const std::vector<Comparison>& comparisons() const { return comparisons_; }

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
  std::map<std::string, size_t> keys_;
  std::vector<Comparison> comparisons_;
};

}  // namespace qbitopt
