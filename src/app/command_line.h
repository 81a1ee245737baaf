#pragma once

#include <boost/program_options.hpp>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/console.h"

namespace qbitopt::app {

// What the help of a verb says, in parts: for shell completion and the manual page.
struct VerbDescription {
  struct Option {
    std::string name;        // "output"
    std::string letter;      // "o"; empty: none
    std::string value_name;  // "FILE"; empty: takes no value
    bool needs_value = false;
    std::string default_value;
    std::string meaning;
  };
  std::string usage;    // after `qbitopt`
  std::string summary;  // lines
  std::vector<Option> options;
};

// The arguments of a verb.
struct Invocation {
  std::vector<std::string> arguments;  // after the verb
  std::vector<std::string> argv;       // the whole command line, to be stored with results
  Console& console;
  // Set: CommandLine::parse() fills it, as it prints help, and the verb does nothing else.
  VerbDescription* description = nullptr;
};

// Wrong arguments: exit status 2, with a hint at --help.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Types of option values. Values are checked when the command line is read, before the verb starts.
struct Seconds {  // "90", "90s", "1.5h"; 0 or more
  double value = 0;
};
struct Interval {  // the same, at least 0.1 s
  double seconds = 0;
};
struct Count {  // a whole number of at least 1
  int value = 0;
};
struct SideBySide {  // a count, or "auto": 0
  int jobs = 0;
};
struct Seed {  // a whole number of at least 0
  uint64_t value = 0;
};
struct FileName {  // not empty
  std::filesystem::path path;
};
struct OutputName {  // the same; "-" is /dev/stdout
  std::filesystem::path path;
};
// Called by Boost.Program_options; they throw its error for a wrong value.
using Words = std::vector<std::string>;
void validate(boost::any& value, const Words& words, Seconds*, int);
void validate(boost::any& value, const Words& words, Interval*, int);
void validate(boost::any& value, const Words& words, Count*, int);
void validate(boost::any& value, const Words& words, SideBySide*, int);
void validate(boost::any& value, const Words& words, Seed*, int);
void validate(boost::any& value, const Words& words, FileName*, int);
void validate(boost::any& value, const Words& words, OutputName*, int);

// Options of one verb. Every verb knows --help, --quiet and --no-color besides its own.
//
//   CommandLine line("ls [--state STATE]", "List the jobs of a database.");
//   line.options()("state", po::value<std::string>(), "only jobs in this state");
//   line.add_database();
//   if (!line.parse(invocation)) return kGood;  // --help was printed
class CommandLine {
 public:
  CommandLine(std::string usage, std::string summary);

  boost::program_options::options_description_easy_init options();
  // --db FILE, default results/qbitopt.db.
  void add_database();
  // --json: data as JSON instead of text.
  void add_json();
  // --verbose, for verbs that can print more details.
  void add_verbose();
  // Arguments without a dash go to `name`, at most `count` of them (-1: any number).
  void add_positional(const std::string& name, int count);

  // Returns false after printing help. Throws UsageError.
  bool parse(const Invocation& invocation);

  bool has(const std::string& name) const { return values_.count(name) != 0; }
  // Whether a switch (po::bool_switch()) or --json was given.
  bool is_on(const std::string& name) const;
  template <typename T>
  T get(const std::string& name) const {
    return values_[name].template as<T>();
  }
  template <typename T>
  T get_or(const std::string& name, T fallback) const {
    return has(name) ? get<T>(name) : fallback;
  }
  template <typename T>
  std::optional<T> find(const std::string& name) const {
    return has(name) ? std::optional(get<T>(name)) : std::nullopt;
  }
  // All words given for `name`; empty if none.
  std::vector<std::string> words(const std::string& name) const;
  std::filesystem::path database() const { return get<FileName>("db").path; }
  bool json() const { return is_on("json"); }

 private:
  VerbDescription description() const;

  std::string usage_;
  std::string summary_;
  boost::program_options::options_description visible_{"Options"};
  boost::program_options::options_description hidden_;
  boost::program_options::positional_options_description positional_;
  boost::program_options::variables_map values_;
};

}  // namespace qbitopt::app
