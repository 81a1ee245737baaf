#include "qbitopt/sweep/expression.h"

#include <algorithm>
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
  size_t at = 0;  // where it begins in the text: of operands
};

namespace {

using Node = Expression::Node;
using Kind = Expression::Node::Kind;

constexpr size_t kDeepest = 64;         // levels, each of which takes a few calls on the stack
constexpr size_t kLongestQuoted = 100;  // bytes of the condition in a message

// Recursive descent over the text; one function a line of the grammar in the header.
class Parser {
 public:
  Parser(const YamlNode& node, std::map<std::string, size_t>& keys,
         std::vector<Expression::Comparison>& comparisons)
      : node_(node),
        text_(node.scalar.get_ref<const std::string&>()),
        keys_(keys),
        comparisons_(comparisons) {}

  Node parse() {
    Node root = parse_or();
    if (skip_space(), at_ < text_.size()) fail("expected 'and', 'or' or the end of the condition");
    return root;
  }

 private:
  Node parse_or() {
    return parse_chain(Kind::kOr, "or", [&] { return parse_and(); });
  }

  Node parse_and() {
    return parse_chain(Kind::kAnd, "and", [&] { return parse_not(); });
  }

  // Operands with a word between them, however many, are one node.
  template <typename ParseOne>
  Node parse_chain(Kind kind, const std::string& word, ParseOne&& parse_one) {
    Node first = parse_one();
    if (!take_word(word)) return first;
    Node chain{kind, {}, "", {}};
    chain.operands.push_back(std::move(first));
    do chain.operands.push_back(parse_one());
    while (take_word(word));
    return chain;
  }

  Node parse_not() {
    if (take_word("not")) {
      const Level level(*this);
      return {Kind::kNot, {}, "", {parse_not()}};
    }
    return parse_comparison();
  }

  Node parse_comparison() {
    if (take("(")) {
      const Level level(*this);
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
      if (take(symbol)) return noted({kind, {}, "", {std::move(left), parse_operand()}});
    }
    if (skip_space(), at_ < text_.size() && text_[at_] == '=')
      fail("unknown operator '='; write '=='");
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
    return noted({Kind::kIn, {}, "", std::move(operands)});
  }

  Node noted(Node comparison) {
    const auto& operands = comparison.operands;
    const bool is_ordered = comparison.kind != Kind::kEqual && comparison.kind != Kind::kUnequal &&
                            comparison.kind != Kind::kIn;
    for (size_t i = 1; i < operands.size(); ++i) {
      const bool is_turned = operands[0].kind == Kind::kLiteral;  // 3 < key
      const Node& key = is_turned ? operands[i] : operands[0];
      const Node& value = is_turned ? operands[0] : operands[i];
      if (key.kind == Kind::kKey && value.kind == Kind::kLiteral)
        comparisons_.push_back({key.key, is_ordered, value.literal, value.at});
    }
    return comparison;
  }

  Node parse_operand() {
    skip_space();
    if (take("[")) return parse_list_value();
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return parse_quoted();
    const size_t start = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || is_word_sign(start)))
      ++at_;
    const std::string word = text_.substr(start, at_ - start);
    if (word.empty()) fail("expected a key, a number or a quoted string");
    Json value = core_schema_scalar(word);
    if (!value.is_string()) return {Kind::kLiteral, std::move(value), "", {}, start};
    keys_.emplace(word, start);
    return {Kind::kKey, {}, word, {}, start};
  }

  // "2, 4]"
  Node parse_list_value() {
    const Level level(*this);
    const size_t start = at_ - 1;
    Json list = Json::array();
    do {
      const Node element = parse_operand();
      if (element.kind != Kind::kLiteral) fail("expected a number or a quoted string");
      list.push_back(element.literal);
    } while (take(","));
    if (!take("]")) fail("expected ',' or ']'");
    return {Kind::kLiteral, std::move(list), "", {}, start};
  }

  Node parse_quoted() {
    const size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string::npos) fail("the closing quote is missing");
    const size_t start = at_;
    at_ = end + 1;
    return {Kind::kLiteral, text_.substr(start + 1, end - start - 1), "", {}, start};
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

  // Counts one level of nesting as long as it exists.
  struct Level {
    explicit Level(Parser& parser) : depth(parser.depth_) {
      if (++depth > kDeepest)
        parser.fail("nested more than " + std::to_string(kDeepest) + " levels deep");
    }
    ~Level() { --depth; }
    size_t& depth;
  };

  [[noreturn]] void fail(const std::string& message) const {
    const bool is_long = text_.size() > kLongestQuoted;
    fail_at(place_in_text(node_, at_),
            (is_long ? "condition" : "condition \"" + text_ + "\"") + ": " + message);
  }

  const YamlNode& node_;
  const std::string& text_;
  std::map<std::string, size_t>& keys_;
  std::vector<Expression::Comparison>& comparisons_;
  size_t at_ = 0;
  size_t depth_ = 0;
};

bool is_comparable(const Json& a, const Json& b) {
  return (a.is_number() && b.is_number()) || (a.is_string() && b.is_string());
}

const Json& value_of(const Node& node, const Expression::Lookup& lookup) {
  return node.kind == Kind::kKey ? lookup(node.key) : node.literal;
}

bool evaluate(const Node& node, const Expression::Lookup& lookup) {
  const auto holds = [&](const Node& operand) { return evaluate(operand, lookup); };
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
      return std::all_of(node.operands.begin(), node.operands.end(), holds);
    case Kind::kOr:
      return std::any_of(node.operands.begin(), node.operands.end(), holds);
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

Expression Expression::parse(const YamlNode& text) {
  Expression expression;
  expression.root_ =
      std::make_shared<const Node>(Parser(text, expression.keys_, expression.comparisons_).parse());
  return expression;
}

bool Expression::holds(const Lookup& lookup) const { return evaluate(*root_, lookup); }

}  // namespace qbitopt
