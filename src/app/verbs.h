#pragma once

#include <string>
#include <vector>

#include "app/command_line.h"

namespace qbitopt::app {

// A word after `qbitopt`. To add one: a file with its function, a line here and one in verbs.cpp.
struct Verb {
  std::string name;
  std::string summary;
  // Returns an ExitCode. Throws UsageError or InputError (exit status 2); any other exception is an
  // error in the program.
  int (*function)(const Invocation&);
  bool is_hidden = false;  // called by scripts, not listed
};

// In the order of `qbitopt --help`.
const std::vector<Verb>& verbs();

// Throws UsageError that lists the known ones.
const Verb& find_verb(const std::string& name);

// What `qbitopt VERB --help` says, in parts.
VerbDescription describe(const Verb& verb);

int help(const Invocation& invocation);
int plan(const Invocation& invocation);
int run(const Invocation& invocation);
int retry(const Invocation& invocation);
int cancel(const Invocation& invocation);
int watch(const Invocation& invocation);
int ls(const Invocation& invocation);
int show(const Invocation& invocation);
int logs(const Invocation& invocation);
int diff(const Invocation& invocation);
int note(const Invocation& invocation);
int gc(const Invocation& invocation);
int rm(const Invocation& invocation);
int merge(const Invocation& invocation);
int sql(const Invocation& invocation);
int table(const Invocation& invocation);
int export_data(const Invocation& invocation);
int export_network(const Invocation& invocation);
int db(const Invocation& invocation);
int methods(const Invocation& invocation);
int models(const Invocation& invocation);
int predict(const Invocation& invocation);
int sensitivities(const Invocation& invocation);
int solvers(const Invocation& invocation);
int solve(const Invocation& invocation);
int plot(const Invocation& invocation);
int report(const Invocation& invocation);
int doctor(const Invocation& invocation);
int completion(const Invocation& invocation);
int complete(const Invocation& invocation);
int manual(const Invocation& invocation);

}  // namespace qbitopt::app
