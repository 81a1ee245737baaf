#pragma once

// Internal to the page: the data with which its script shows every run.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// Total number of characters of logs that the page contains; each log is cut at its beginning.
constexpr size_t kLogCharacters = 600'000;

// The parameters, except budget and seed, that distinguish a job from others of its method:
// "reallocation.tau=40".
using ShownParameters = std::map<std::string, std::string>;  // by key

struct PageRuns {
  Rows rows;                               // runs.sql
  Json common;                             // parameters that every job has with the same value
  std::map<std::string, Json> parameters;  // the others, of each job, by key
  ShownParameters settings;
};
PageRuns read_runs(const Reader& reader, const std::optional<std::string>& sweep);

// {common: parameters that all jobs share, runs: {fields, rows}, steps: [[...]], inventories:
// [[[name, kind, counted]]], details: {job: {curves: [[metric, split, index of steps, "1,2,..."]],
// inventory: index, history: [[step, "84"]], bits: "84", log}}}: a digit of base 36 a quantizer.
// Curves have at most 60 points, so that 500 jobs stay below 3 MB.
Json run_data(const Reader& reader, const std::optional<std::string>& sweep, const PageRuns& runs);

}  // namespace qbitopt
