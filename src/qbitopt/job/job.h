#pragma once

#include <map>
#include <string>

#include "qbitopt/core/json.h"

namespace qbitopt {

// One training run, fully resolved. Plain values: the plan makes it, the database keeps it, the
// worker gets it.
struct Job {
  // sha256 over everything that affects the result (see sweep/identity.h). 64 hexadecimal digits.
  std::string key;
  // The same without seeds: jobs that differ only in their seed share it.
  std::string config_key;
  // Flat: dotted name -> value, every parameter that applies to this job. "method", "model",
  // "data.name" and "seed" are always there; a parameter that does not apply is absent. "plugin":
  // the file that brings the method, if it is not built in. "model.file": the .pt2 file that is the
  // model, whose name alone is "model".
  Json parameters = Json::object();
  // The parts it is made of and their manifest versions: "method:qbitopt" -> 1.
  std::map<std::string, int> versions;
  // What must be finished before: the need's name ("fp32_checkpoint") -> key of the job that makes
  // it.
  std::map<std::string, std::string> needs;
  // The method's promise: its final bits never exceed the budget (a run above it fails).
  bool guarantees_budget = true;
};
void to_json(Json& json, const Job& job);
void from_json(const Json& json, Job& job);

// One execution of a job, as handed to a worker: a line of JSON on its standard input, or a file
// named on its command line.
struct Attempt {
  Job job;
  int number = 1;      // 1 for the first execution
  std::string folder;  // absolute; job.json, events.jsonl, log.txt and checkpoints live here
  // Need's name -> absolute path of the file that satisfies it.
  std::map<std::string, std::string> inputs;
  // An earlier attempt's checkpoint to go on from; empty: from the start.
  std::string resume_from;
};
void to_json(Json& json, const Attempt& attempt);
void from_json(const Json& json, Attempt& attempt);

}  // namespace qbitopt
