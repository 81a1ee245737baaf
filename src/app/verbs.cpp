#include "app/verbs.h"

#include <fmt/format.h>

#include "app/exit_codes.h"
#include "qbitopt/core/names.h"

namespace qbitopt::app {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> verbs = {
      {"plan", "list the jobs that a sweep would run", plan},
      {"run", "run the unfinished jobs of a sweep and print its tables", run},
      {"retry", "run failed jobs again", retry},
      {"cancel", "cancel jobs", cancel},
      {"watch", "show the progress of a running sweep", watch},
      {"ls", "list jobs", ls},
      {"show", "show all details of a job", show},
      {"logs", "print the log of a job", logs},
      {"diff", "compare two jobs", diff},
      {"note", "write notes and tags on jobs and sweeps", note},
      {"sql", "query the database with SQL", sql},
      {"table", "print a comparison table as Markdown, LaTeX, CSV, HTML or JSON", table},
      {"export", "write the results as CSV, JSON Lines or a plain SQLite file", export_data},
      {"export-network", "write a trained network as ONNX, QONNX, integers or AIMET encodings",
       export_network},
      {"merge", "add the results of another database", merge},
      {"rm", "delete jobs or a sweep, with their files", rm},
      {"gc", "delete files that no result needs", gc},
      {"db", "check, migrate or back up the database", db},
      {"solve", "solve an allocation problem from a table of costs", solve},
      {"plot", "draw figures", plot},
      {"report", "write an HTML report of a sweep", report},
      {"methods", "list the methods", methods},
      {"models", "list the networks, or the quantizers of one", models},
      {"predict", "classify images with a network", predict},
      {"sensitivities", "list the sensitivity metrics", sensitivities},
      {"solvers", "list the allocation solvers", solvers},
      {"doctor", "check libraries, data and plugins for a sweep", doctor},
      {"completion", "print a script that completes commands in bash, zsh or fish", completion},
      {"help", "show this text, or the help of a verb", help},
      {"complete", "print how a command may go on", complete, true},
      {"manual", "print the manual page", manual, true},
  };
  return verbs;
}

const Verb& find_verb(const std::string& name) {
  std::vector<std::string> known;
  for (const Verb& verb : verbs()) {
    if (verb.name == name) return verb;
    if (!verb.is_hidden) known.push_back(verb.name);
  }
  throw UsageError(unknown_name("verb", name, known));
}

VerbDescription describe(const Verb& verb) {
  VerbDescription description;
  Console console;
  verb.function({{}, {}, console, &description});
  return description;
}

int help(const Invocation& invocation) {
  if (invocation.description != nullptr) {
    *invocation.description = {"help [VERB]", "Lists the verbs, or shows the help of one.", {}};
    return kGood;
  }
  std::vector<std::string> words = invocation.arguments;
  std::erase_if(words, [](const std::string& word) { return word == "--help" || word == "-h"; });
  if (words.size() > 1) throw UsageError("help takes one verb, as in `qbitopt help run`");
  if (words.size() == 1 && words.front() != "help")
    return find_verb(words.front()).function({{"--help"}, invocation.argv, invocation.console});
  std::string text = "usage: qbitopt VERB [arguments]\n\n";
  for (const Verb& verb : verbs()) {
    if (!verb.is_hidden) text += fmt::format("  {:14} {}\n", verb.name, verb.summary);
  }
  text += "\n`qbitopt VERB --help` describes a verb; `qbitopt --version` prints the version.\n";
  invocation.console.print(text);
  return kGood;
}

}  // namespace qbitopt::app
