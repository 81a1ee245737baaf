#pragma once

#include <filesystem>

#include "qbitopt/runlog/database.h"

namespace qbitopt::testing {

struct ExampleOptions {
  int seeds = 3;
  // Words that a page or a figure must not obey: a job whose method is `<script>alert(1)</script>`,
  // and notes, log lines and a failure of the same kind.
  bool hostile = true;
};

// Stores a sweep "example" as a MobileNetV2 of 19 layers would leave it, made up from formulas:
// full precision, fixed, random, static and qbitopt at 4, 3 and 2.5 bits; a penalty method that
// misses its budgets; a job that failed, one that is running and one that is new. Logs go to
// `folder`/qbitopt.runs. About 7 seeds' worth of 100 jobs take a second.
void store_example(Database& database, const std::filesystem::path& folder,
                   const ExampleOptions& options = {});

}  // namespace qbitopt::testing
