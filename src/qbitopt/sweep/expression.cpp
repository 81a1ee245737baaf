#include "qbitopt/sweep/expression.h"

#include <cctype>
#include <utility>
#include <vector>

namespace qbitopt {

struct Expression::Node {
  enum class Kind {
    kLiteral,
    kKey,
    kNot,
    kAnd,
    kOr,
    kIn,
    kEqual,
    kUnequal,
    kLess,
    kAtMost,
    kMore,
    kAtLeast
  };
  Kind kind;
  Json literal;
  std::string key;
  std::vector<Node> operands;
};

namespace {

using Node = Expression::Node;
using Kind = Expression::Node::Kind;

// Recursive descent over the text; one function a line of the grammar in the header.
class Parser {
 public:
  Parser(const std::string& text, Place place, std::set<std::string>& keys)
      : text_(text), place_(std::move(place)), keys_(keys) {}

  Node parse() {
    Node root = parse_or();
    if (skip_space(), at_ < text_.size()) fail("expected 'and', 'or' or the end");
    return root;
  }

 private:
  Node parse_or() {
    Node left = parse_and();
    while (take_word("or")) left = {Kind::kOr, {}, "", {std::move(left), parse_and()}};
    return left;
  }

  Node parse_and() {
    Node left = parse_not();
    while (take_word("and")) left = {Kind::kAnd, {}, "", {std::move(left), parse_not()}};
    return left;
  }

  Node parse_not() {
    if (take_word("not")) return {Kind::kNot, {}, "", {parse_not()}};
    return parse_comparison();
  }

  Node parse_comparison() {
    if (take("(")) {
      Node inner = parse_or();
      if (!take(")")) fail("expected ')'");
      return inner;
    }
    Node left = parse_operand();
    if (take_word("in")) return parse_list(std::move(left));
    const size_t before = at_;
    if (take_word("not")) {
      if (take_word("in")) return {Kind::kNot, {}, "", {parse_list(std::move(left))}};
      at_ = before;
    }
    static const std::vector<std::pair<const char*, Kind>> kOperators = {
        {"==", Kind::kEqual},   {"!=", Kind::kUnequal}, {"<=", Kind::kAtMost},
        {">=", Kind::kAtLeast}, {"<", Kind::kLess},     {">", Kind::kMore}};
    for (const auto& [symbol, kind] : kOperators) {
      if (take(symbol)) return {kind, {}, "", {std::move(left), parse_operand()}};
    }
    if (skip_space(), at_ < text_.size() && text_[at_] == '=')
      fail("'=' compares nothing; write '=='");
    if (left.kind == Kind::kLiteral && !left.literal.is_boolean()) fail("expected a comparison");
    return left;
  }

  Node parse_list(Node left) {
    if (!take("[")) fail("expected '[' after 'in'");
    std::vector<Node> operands;
    operands.push_back(std::move(left));
    do operands.push_back(parse_operand());
    while (take(","));
    if (!take("]")) fail("expected ',' or ']'");
    return {Kind::kIn, {}, "", std::move(operands)};
  }

  Node parse_operand() {
    skip_space();
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return parse_quoted();
    const size_t start = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || is_word_sign(start)))
      ++at_;
    const std::string word = text_.substr(start, at_ - start);
    if (word.empty()) fail("expected a key, a number or a quoted text");
    Json value = core_schema_scalar(word);
    if (!value.is_string()) return {Kind::kLiteral, std::move(value), "", {}};
    keys_.insert(word);
    return {Kind::kKey, {}, word, {}};
  }

  Node parse_quoted() {
    const size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string::npos) fail("this quote is never closed");
    const std::string quoted = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return {Kind::kLiteral, quoted, "", {}};
  }

  // '_' and '.' inside words, a sign before a number or its exponent.
  bool is_word_sign(size_t start) const {
    const char c = text_[at_];
    if (c == '_' || c == '.') return true;
    if (c != '-' && c != '+') return false;
    const bool is_number = at_ == start || std::isdigit(static_cast<unsigned char>(text_[start])) ||
                           text_[start] == '-' || text_[start] == '+';
    return is_number && (at_ == start || text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E');
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  bool take(const std::string& symbol) {
    skip_space();
    if (text_.compare(at_, symbol.size(), symbol) != 0) return false;
    at_ += symbol.size();
    return true;
  }

  bool take_word(const std::string& word) {
    skip_space();
    const size_t end = at_ + word.size();
    if (text_.compare(at_, word.size(), word) != 0) return false;
    if (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) ||
                               text_[end] == '_' || text_[end] == '.')) {
      return false;
    }
    at_ = end;
    return true;
  }

  [[noreturn]] void fail(const std::string& message) const {
    Place place = place_;
    place.column += static_cast<int>(at_);
    fail_at(place, "condition \"" + text_ + "\": " + message);
  }

  const std::string& text_;
  Place place_;
  std::set<std::string>& keys_;
  size_t at_ = 0;
};

bool is_comparable(const Json& a, const Json& b) {
  return (a.is_number() && b.is_number()) || (a.is_string() && b.is_string());
}

const Json& value_of(const Node& node, const Expression::Lookup& lookup) {
  return node.kind == Kind::kKey ? lookup(node.key) : node.literal;
}

bool evaluate(const Node& node, const Expression::Lookup& lookup) {
  const auto operand = [&](size_t i) -> const Json& { return value_of(node.operands[i], lookup); };
  switch (node.kind) {
    case Kind::kLiteral:
    case Kind::kKey: {
      const Json& value = value_of(node, lookup);
      return !value.is_null() && value != Json(false);
    }
    case Kind::kNot:
      return !evaluate(node.operands[0], lookup);
    case Kind::kAnd:
      return evaluate(node.operands[0], lookup) && evaluate(node.operands[1], lookup);
    case Kind::kOr:
      return evaluate(node.operands[0], lookup) || evaluate(node.operands[1], lookup);
    case Kind::kIn:
      for (size_t i = 1; i < node.operands.size(); ++i) {
        if (operand(0) == operand(i)) return true;
      }
      return false;
    case Kind::kEqual:
      return operand(0) == operand(1);
    case Kind::kUnequal:
      return operand(0) != operand(1);
    case Kind::kLess:
      return is_comparable(operand(0), operand(1)) && operand(0) < operand(1);
    case Kind::kAtMost:
      return is_comparable(operand(0), operand(1)) && operand(0) <= operand(1);
    case Kind::kMore:
      return is_comparable(operand(0), operand(1)) && operand(0) > operand(1);
    case Kind::kAtLeast:
      return is_comparable(operand(0), operand(1)) && operand(0) >= operand(1);
  }
  return false;
}

}  // namespace

Expression Expression::parse(const std::string& text, const Place& place) {
  Expression expression;
  expression.root_ = std::make_shared<const Node>(Parser(text, place, expression.keys_).parse());
  return expression;
}

bool Expression::holds(const Lookup& lookup) const { return evaluate(*root_, lookup); }

}  // namespace qbitopt
