#pragma once

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

// Draws each specification as "svg", "pdf", "png" or "page": SVG with the colors of the report
// (--ink, --muted, --line, --paper) and short numbers. Starting takes a second, a figure a tenth.
// Throws InputError if vl-convert is missing.
std::vector<Drawing> draw_specs(const std::vector<std::string>& specs, const std::string& format);

const std::vector<EmbeddedFile>& drawing_script();  // draw.py

}  // namespace qbitopt
