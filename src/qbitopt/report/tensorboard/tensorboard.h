#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// Above so many runs TensorBoard needs minutes to load, and its pages stall.
inline constexpr size_t kManyTensorboardRuns = 250;

struct TensorboardChoice {
  std::optional<std::string> sweep;  // only its runs
  std::string where;  // only runs that meet a condition on the view `runs`; empty: all
};

// Writes event files that `tensorboard --logdir FOLDER` shows: one run for each job that has begun,
// named after its method and job, with its curves, its results (result/top1, ...) at the last step,
// its final bits as text, and its parameters. Those in which the runs differ, the seed apart, are
// columns of the tab HParams; replicates form one group of it. A second export replaces the files of
// the first. Returns the number of runs. Throws InputError for wrong SQL.
size_t write_tensorboard(const Reader& reader, const TensorboardChoice& choice,
                         const std::filesystem::path& folder);

}  // namespace qbitopt
