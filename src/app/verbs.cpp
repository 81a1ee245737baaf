#include "app/verbs.h"

#include <fmt/format.h>

#include "app/exit_codes.h"

namespace qbitopt::app {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> verbs = {
      {"help", "this text, or `help VERB`", help},
  };
  return verbs;
}

int help(const Invocation& invocation) {
  if (!invocation.arguments.empty()) {
    for (const Verb& verb : verbs()) {
      if (verb.name == invocation.arguments.front()) {
        return verb.function({{"--help"}, invocation.argv, invocation.console});
      }
    }
  }
  std::string text = "usage: qbitopt VERB [arguments]\n\n";
  for (const Verb& verb : verbs()) text += fmt::format("  {:14} {}\n", verb.name, verb.summary);
  text += "\n`qbitopt VERB --help` says more; `qbitopt --version` says which this is.\n";
  invocation.console.print(text);
  return kGood;
}

}  // namespace qbitopt::app
