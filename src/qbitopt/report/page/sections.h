#pragma once

// Internal to the page: its sections in HTML.

#include <future>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/report/figures/figure.h"
#include "qbitopt/report/page/run_data.h"
#include "qbitopt/report/table_definition.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

struct SectionInput {
  const Reader& reader;
  const std::optional<std::string>& sweep;
  std::vector<std::string> sweeps;  // names of the shown sweeps
  const PageRuns& runs;
};

std::string page_title(const SectionInput& input);
// The question in the comment at the beginning of the sweep file; empty if there is none.
std::string question_section(const SectionInput& input);
std::string facts_section(const SectionInput& input);
// The tables, the verdicts of their claims, and which runs they leave out. Empty without tables.
std::string comparison_section(const SectionInput& input,
                               const std::vector<TableDefinition>& tables);
// The figures of the page, whose drawing takes longer than all other sections together.
struct FiguresInWork {
  std::vector<FigureDefinition> definitions;
  std::future<std::vector<PageFigure>> drawn;  // not valid: vl-convert is missing
};
FiguresInWork begin_figures(const Reader& reader, const std::optional<std::string>& sweep);
// Waits for them. `csv`: gets the data of each figure, by its name.
std::string figures_section(FiguresInWork figures, Json& csv);
std::string runs_section();
std::string failures_section(const SectionInput& input);  // empty without failures
std::string provenance_section(const SectionInput& input);

}  // namespace qbitopt
