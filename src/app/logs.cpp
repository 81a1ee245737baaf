// qbitopt logs: prints the log of a job, and follows it.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "app/exit_codes.h"
#include "app/stop_signals.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/runlog/queries.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

constexpr double kLookSeconds = 0.3;

const AttemptRecord& find_attempt(const std::vector<AttemptRecord>& all, const std::string& key,
                                  std::optional<int> number) {
  if (all.empty()) throw InputError(fmt::format("job {} has not been started yet", short_key(key)));
  if (!number) return all.back();
  for (const AttemptRecord& attempt : all) {
    if (attempt.number == *number) return attempt;
  }
  throw InputError(fmt::format("job {} has no attempt {}; it has {}", short_key(key), *number,
                               all.size() == 1 ? "one" : fmt::format("1 to {}", all.size())));
}

// Prints what has come since the last call.
class LogPrinter {
 public:
  explicit LogPrinter(Console& console) : console_(console) {}

  void open(const std::string& folder) {
    file_ = fs::path(folder) / "log.txt";
    printed_ = 0;
  }
  const fs::path& file() const { return file_; }

  // Skips all but the last lines.
  void skip_to_last(int lines) {
    std::ifstream stream(file_, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    size_t begin = text.ends_with('\n') ? text.size() - 1 : text.size();
    for (; begin > 0; --begin) {
      if (text[begin - 1] == '\n' && --lines == 0) break;
    }
    printed_ = static_cast<std::streamoff>(begin);
  }

  void print_new() {
    std::ifstream stream(file_, std::ios::binary);
    if (!stream) return;
    stream.seekg(printed_);
    char buffer[65536];
    while (stream.read(buffer, sizeof buffer) || stream.gcount() > 0) {
      const auto count = static_cast<size_t>(stream.gcount());
      console_.print(std::string(buffer, count));
      printed_ += static_cast<std::streamoff>(count);
    }
    std::fflush(stdout);
  }

 private:
  Console& console_;
  fs::path file_;
  std::streamoff printed_ = 0;
};

}  // namespace

int logs(const Invocation& invocation) {
  CommandLine line("logs KEY [options]", "Prints the log of a job's last attempt.");
  line.options()("follow,f", po::bool_switch(),
                 "go on printing until the job ends, also through further attempts")(
      "lines,n", po::value<Count>()->value_name("N"), "print only the last N lines")(
      "attempt", po::value<Count>()->value_name("NUMBER"), "print another attempt's log");
  line.add_database();
  line.add_positional("key", 1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("key"))
    throw UsageError("logs needs the first digits of a job's key; `qbitopt ls` lists them");
  const bool follows = line.is_on("follow");
  if (follows && line.has("attempt"))
    throw UsageError("--follow prints the last attempt; leave out --attempt");
  Console& console = invocation.console;

  const std::string key = find_key(Reader(line.database()), line.words("key").front());
  const auto wanted =
      line.has("attempt") ? std::optional(line.get<Count>("attempt").value) : std::nullopt;
  LogPrinter printer(console);
  const StopSignals signals;
  for (int printed = 0;;) {
    const AttemptRecord attempt = find_attempt(attempts(Reader(line.database()), key), key, wanted);
    if (attempt.number != printed) {
      printer.open(attempt.folder);
      if (!follows && !fs::exists(printer.file()))
        throw InputError(
            fmt::format("{}: no such file; the attempt wrote no log, or it was deleted",
                        shown(printer.file())));
      if (printed == 0 && line.has("lines")) printer.skip_to_last(line.get<Count>("lines").value);
      if (printed > 0) console.say(fmt::format("attempt {}", attempt.number));
      printed = attempt.number;
    }
    printer.print_new();
    if (!follows || attempt.state != "running" || signals.count() > 0) return kGood;
    signals.wait(kLookSeconds);
  }
}

}  // namespace qbitopt::app
