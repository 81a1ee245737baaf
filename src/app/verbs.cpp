#include "app/verbs.h"

#include <fmt/format.h>

#include "app/exit_codes.h"
#include "qbitopt/core/names.h"

namespace qbitopt::app {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> verbs = {
      {"plan", "what a sweep would run", plan},
      {"run", "run what is not finished of a sweep, then print its tables", run},
      {"retry", "run failed jobs again", retry},
      {"watch", "what a run that goes on elsewhere is doing", watch},
      {"ls", "the jobs of a database", ls},
      {"show", "everything about one job", show},
      {"sql", "ask the database", sql},
      {"table", "a comparison as Markdown, LaTeX, CSV, HTML or JSON", table},
      {"export", "the results as CSV, JSON lines or a plain SQLite file", export_},
      {"db", "check, migrate or copy the database", db},
      {"solve", "the best bits for a table of costs, under budgets", solve},
      {"plot", "draw figures", plot},
      {"report", "write everything about a sweep into one HTML file", report},
      {"methods", "how bits can be chosen", methods},
      {"models", "the networks", models},
      {"predict", "what a network sees in photographs", predict},
      {"sensitivities", "how the loss's rise can be predicted", sensitivities},
      {"solvers", "who can solve the allocation", solvers},
      {"doctor", "is everything there that a sweep needs?", doctor},
      {"help", "this text, or `help VERB`", help},
  };
  return verbs;
}

const Verb& find_verb(const std::string& name) {
  std::vector<std::string> known;
  for (const Verb& verb : verbs()) {
    if (verb.name == name) return verb;
    known.push_back(verb.name);
  }
  throw UsageError(unknown_name("verb", name, known));
}

int help(const Invocation& invocation) {
  std::vector<std::string> words = invocation.arguments;
  std::erase_if(words, [](const std::string& word) { return word == "--help" || word == "-h"; });
  if (words.size() > 1) throw UsageError("help takes one verb, as in `qbitopt help run`");
  if (words.size() == 1 && words.front() != "help")
    return find_verb(words.front()).function({{"--help"}, invocation.argv, invocation.console});
  std::string text = "usage: qbitopt VERB [arguments]\n\n";
  for (const Verb& verb : verbs()) text += fmt::format("  {:14} {}\n", verb.name, verb.summary);
  text += "\n`qbitopt VERB --help` says more; `qbitopt --version` says which this is.\n";
  invocation.console.print(text);
  return kGood;
}

}  // namespace qbitopt::app
