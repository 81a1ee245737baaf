#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace qbitopt {

// A number that others published, with its source.
struct PublishedResult {
  std::string model, method, kind;           // as the source names them; kind: "fixed" or "mixed"
  std::string weight_bits, activation_bits;  // as the source gives them; empty: not given
  std::string constraint;                    // what was constrained, and exceptions
  std::optional<double> fp32_top1;           // [percent] the source's own full-precision network
  double top1 = 0;                           // [percent]
  std::string source_title, source_url;      // never empty
  std::string quoted_from;                   // own run of the source, or whom it quotes
};

// Reads results/published.csv (RFC 4180, a header line that names the columns: model, method, kind,
// weight_bits, act_bits, constraint, fp32_top1, top1, source_title, source_url, quoted_from).
// Throws InputError with file:line for a row without a source, without a model, method or top1,
// with an invalid number or percentage, or with too few or too many fields.
std::vector<PublishedResult> read_published(const std::filesystem::path& file);

}  // namespace qbitopt
