// The `qbitopt` command: finds the verb, runs it, turns what it throws into a line and an exit
// status.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "app/driver_lock.h"
#include "app/exit_codes.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/runlog/error.h"

namespace qbitopt::app {
namespace {

const Verb& find_verb(const std::string& name) {
  const auto found = std::find_if(verbs().begin(), verbs().end(),
                                  [&](const Verb& verb) { return verb.name == name; });
  if (found != verbs().end()) return *found;
  std::vector<std::string> known;
  for (const Verb& verb : verbs()) known.push_back(verb.name);
  throw UsageError(unknown_name("verb", name, known));
}

int dispatch(const std::vector<std::string>& argv, Console& console) {
  if (argv.size() < 2 || argv[1] == "--help" || argv[1] == "-h") return help({{}, argv, console});
  if (argv[1] == "--version") {
    console.print(fmt::format("qbitopt {}\n", QBITOPT_VERSION));
    return kGood;
  }
  return find_verb(argv[1]).function({{argv.begin() + 2, argv.end()}, argv, console});
}

// What was said to a full disk was not said. A reader that left early has read enough.
int flushed(int status, Console& console) {
  if ((std::fflush(stdout) == 0 && std::ferror(stdout) == 0) || errno == EPIPE) return status;
  console.error(fmt::format("the output cannot be written: {}", std::strerror(errno)));
  return status == kGood ? kInternal : status;
}

int call(const std::vector<std::string>& argv) {
  Console console;
  try {
    return flushed(dispatch(argv, console), console);
  } catch (const UsageError& error) {
    console.error(error.what());
    console.say("`qbitopt help` lists the verbs, `qbitopt VERB --help` their options");
    return kUsage;
  } catch (const InputError& error) {
    console.error(error.what());
    return kUsage;
  } catch (const LockedError& error) {
    console.error(error.what());
    return kLocked;
  } catch (const DatabaseError& error) {
    console.error(error.what());
    return kDatabase;
  } catch (const std::exception& error) {
    console.error(fmt::format("internal: {}", error.what()));
    return kInternal;
  }
}

}  // namespace
}  // namespace qbitopt::app

int main(int argc, char** argv) { return qbitopt::app::call({argv, argv + argc}); }
