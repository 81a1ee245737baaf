#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/temporary_folder.h"
#include "qbitopt/config/catalog.h"
#include "qbitopt/training/trainer.h"

namespace qbitopt {

// What a run told.
class Recorder : public TrainingObserver {
 public:
  void on_start(int64_t step) override { resumed_from_step = step; }
  void on_event(EventBody event) override {
    // As a driver would read it: what a spool cannot carry is found here.
    events.push_back(parse_event(to_line({1, 0, std::move(event)})).body);
    if (stop_at_step >= 0) {
      const auto* metrics = std::get_if<Metrics>(&events.back());
      if (metrics && metrics->step >= stop_at_step) stop = true;
    }
  }

  template <typename Body>
  std::vector<Body> all() const {
    std::vector<Body> found;
    for (const EventBody& event : events) {
      if (const auto* body = std::get_if<Body>(&event)) found.push_back(*body);
    }
    return found;
  }
  // The last event of a good run; throws std::out_of_range without one.
  Finished finished() const { return all<Finished>().at(0); }

  std::vector<EventBody> events;
  int64_t resumed_from_step = -1;
  // Raises `stop` once a point of the training curve at this step or a later one has come.
  int64_t stop_at_step = -1;
  std::atomic<bool> stop{false};
};

// Everything built in and the plugins that were built with it.
const Catalog& whole_catalog();

// A job in two attempts: until it was stopped, and from its checkpoint to the end.
struct InTwo {
  Recorder& before;
  Recorder& after;
  Recorder& whole;  // the events of both: what a reader sees who follows the chain of attempts
};

// Trains small jobs on made-up images in this process. Their parameters come from the manifests, as
// those of a sweep do; the plugins' methods can be named, too.
class Lab {
 public:
  Lab();

  // `settings`: lines of YAML below `set`, "{method: qbitopt, budget.average_bits: 3}". Jobs that
  // it needs are trained first (once in a Lab) and handed over. `needs`: the same below `needs`,
  // "{start_from: {job: {method: qbitopt}}}"; empty: none.
  Attempt attempt(const std::string& settings, const std::string& needs = "");
  // Trains it. Throws what run_attempt() throws.
  RunOutcome run(const Attempt& attempt, Recorder& recorder) const;
  // Both, to the end.
  Recorder& train(const std::string& settings, const std::string& needs = "");
  // Both, stopped once after step `stop_at`; expects that it stops, goes on from there, and ends.
  InTwo train_in_two(const std::string& settings, int64_t stop_at, const std::string& needs = "");

  Registries& registries() { return registries_; }

 private:
  Attempt prepare(const Job& job);
  Recorder& new_recorder();

  TemporaryFolder folder_;
  Registries registries_;
  int attempts_ = 0;
  std::map<std::string, Attempt> trained_;  // needed jobs, by key
  std::vector<std::unique_ptr<Recorder>> recorders_;
};

}  // namespace qbitopt
