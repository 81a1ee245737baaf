#include "app/executor_choice.h"

#include <fmt/format.h>

#include "qbitopt/sweep/queue_settings.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

// Option -> key of run.slurm.
constexpr std::pair<const char*, const char*> kQueueOptions[] = {
    {"partition", "partition"},   {"account", "account"},           {"qos", "qos"},
    {"constraint", "constraint"}, {"gpus-per-job", "gpus_per_job"}, {"time", "time"},
    {"launch", "launch"}};

YamlNode::Entry entry_of(const std::string& option, const std::string& key,
                         const std::string& value) {
  YamlNode::Entry entry;
  entry.key = key;
  entry.place.source = std::make_shared<SourceText>(SourceText{"--" + option, {}});
  entry.value.place = entry.place;
  entry.value.scalar = core_schema_scalar(value);
  return entry;
}

// What the options say, as a map of a sweep file.
YamlNode said_by(const CommandLine& line) {
  YamlNode map;
  map.kind = YamlNode::Kind::kMap;
  for (const auto& [option, key] : kQueueOptions) {
    if (line.has(option)) map.entries.push_back(entry_of(option, key, line.words(option).back()));
  }
  for (const std::string& word : line.words("queue")) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos)
      throw UsageError("--queue takes KEY=VALUE, like memory=16G, not '" + word + "'");
    map.entries.push_back(entry_of("queue", word.substr(0, equals), word.substr(equals + 1)));
  }
  return map;
}

}  // namespace

void add_executor_options(CommandLine& line) {
  const auto words = [](const char* name) { return po::value<Words>()->value_name(name); };
  line.options()("executor", po::value<std::string>()->value_name("NAME"),
                 "where jobs run: local; slurm; command (another cluster, as run.command says) "
                 "(default: the sweep file's, else local)")(
      "partition", words("NAME"), "Slurm partition")("account", words("NAME"), "Slurm account")(
      "qos", words("NAME"), "Slurm quality of service")("constraint", words("FEATURES"),
                                                        "Slurm node features")(
      "gpus-per-job", words("N"),
      "GPUs of each job on a GPU: a number, or type:number "
      "(default: 1)")("time", words("TIME"),
                      "time limit of a cluster job (default: by jobs that have finished)")(
      "launch", words("COMMAND"),
      "how a cluster job starts the worker, for example \"apptainer exec --nv image.sif "
      "{worker}\"")("queue", words("KEY=VALUE"),
                    "any other key of run.slurm or run.command; may be repeated");
}

ExecutorChoice executor_of(const Plan& plan, const CommandLine& line) {
  ExecutorChoice choice{line.get_or("executor", plan.run.value("executor", std::string("local"))),
                        Json::object()};
  const YamlNode said = said_by(line);
  if (choice.name != "slurm" && choice.name != "command") {
    const bool is_detached = line.is_on("detach");
    if (said.entries.empty() && !is_detached) return choice;
    throw UsageError((is_detached ? "--detach" : location_text(said.entries.front().place)) +
                     " is for a cluster, whose jobs run without this program; say --executor "
                     "slurm, too");
  }
  choice.settings = plan.run.value(choice.name, Json::object());
  choice.settings.update(read_queue_settings(said, choice.name, /*is_whole=*/false));
  return choice;
}

}  // namespace qbitopt::app
