#pragma once

#include <map>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"
#include "qbitopt/job/job.h"

namespace qbitopt {

// A job in its place in a sweep.
struct PlannedJob {
  Job job;
  std::string case_name;        // empty without cases
  Json axes = Json::object();   // the grid's values for this job: dotted name -> value
  bool requested = true;        // false: only there because others need it
};

// A sweep file, expanded: every job once, those that others need before them.
struct Plan {
  std::string sweep_name;
  std::string file;             // path of the sweep file
  std::string text;             // verbatim, for the record
  std::vector<std::pair<std::string, std::string>> included;  // path and sha256 of every file it extends
  std::vector<PlannedJob> jobs;
  std::vector<std::string> warnings;
  std::vector<std::string> tables;  // paths of the table definitions it asks for
  Json run = Json::object();        // "jobs", "timeout_seconds", "retries"
  std::string metric = "top1";
};

}  // namespace qbitopt
