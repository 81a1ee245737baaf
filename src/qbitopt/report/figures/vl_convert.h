#pragma once

#include <memory>
#include <string>
#include <vector>

#include "qbitopt/report/figures/definition.h"  // EmbeddedFile

namespace qbitopt {

// Whether there is a Python with vl-convert, which draws Vega-Lite's specifications. It is looked
// for in the environment variable QBITOPT_PYTHON or else in the project's .venv and the PATH.
bool has_vl_convert();

// How to install it, for a message.
std::string how_to_get_vl_convert();

struct Drawing {
  std::string bytes;
  std::string error;  // empty: it was drawn
};

// Draws specifications as "svg", "pdf", "png" or "page": SVG with the colors of the report (--ink,
// --muted, --line, --paper) and short numbers. Starting takes two thirds of a second, a figure a
// tenth, both in the background.
class Drawer {
 public:
  explicit Drawer(const std::string& format);  // throws InputError if vl-convert is missing
  ~Drawer();
  void add(const std::string& spec);
  std::vector<Drawing> finish();  // of all that were added, in their order

 private:
  class Python;
  std::unique_ptr<Python> python_;
};

const std::vector<EmbeddedFile>& drawing_script();  // draw.py

}  // namespace qbitopt
