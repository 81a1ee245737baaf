#pragma once

#include <string>
#include <string_view>

#include "qbitopt/core/json.h"

namespace qbitopt::app {

// The output of a verb: data on stdout, everything else on stderr. Control characters in messages
// are escaped; those in data only on a terminal, because programs need unchanged data.
class Console {
 public:
  enum class Style { kPlain, kBold, kDim, kRed, kGreen, kYellow };

  // Colors on a terminal only, and never under NO_COLOR.
  Console();

  // Data: no newline is added.
  void print(std::string_view text);
  // JSON, indented; bytes that are not UTF-8 are replaced.
  void print_json(const Json& json);
  // Erases the last printed lines, on a terminal.
  void take_back(size_t lines);
  // A line for the user, not printed under --quiet.
  void say(std::string_view line);
  // A line that is printed under --verbose only.
  void detail(std::string_view line);
  // "warning: ...", "error: ...", also printed under --quiet.
  void warn(std::string_view line);
  void error(std::string_view line);

  // `text` in a color for stderr, or as it is.
  std::string styled(std::string_view text, Style style) const;

  void set_quiet() { quiet_ = true; }
  void set_verbose() { verbose_ = true; }
  void set_colorless() { color_ = false; }
  bool quiet() const { return quiet_; }
  // stderr is a terminal that understands cursor movements.
  bool is_live() const { return live_; }

 private:
  bool live_ = false;
  bool prints_to_terminal_ = false;
  bool color_ = false;
  bool quiet_ = false;
  bool verbose_ = false;
};

}  // namespace qbitopt::app
