#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "qbitopt/sweep/yaml.h"

namespace qbitopt {

// A condition on the keys of a job: "sensitivity == 'hessian_trace' and budget.average_bits < 3".
//
//   condition   comparison | key | not c | c and c | c or c | (c)
//   comparison  operand (== | != | < | <= | > | >=) operand
//               | operand in [operand, ...] | operand not in [...]
//   operand     key | number | 'text' | "text" | true | false | null
//
// `and` binds tighter than `or`. A key that the job does not have is null: equal only to null, and
// neither above nor below anything. Numbers compare as numbers, texts by their letters, different
// types never (but ==, != say false, true). A key alone is true when it is neither null nor false.
class Expression {
 public:
  // The value of a key in a job; null if absent.
  using Lookup = std::function<const Json&(const std::string& key)>;

  // `place` is where the text's first character stands. Throws InputError at the character that
  // does not fit.
  static Expression parse(const std::string& text, const Place& place);

  bool holds(const Lookup& lookup) const;
  const std::set<std::string>& keys() const { return keys_; }

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
  std::set<std::string> keys_;
};

}  // namespace qbitopt
