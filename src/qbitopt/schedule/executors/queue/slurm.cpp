// Slurm by its commands. What they print and how signals travel was tried with Slurm 22.05.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <regex>
#include <sstream>
#include <system_error>
#include <utility>

#include "qbitopt/schedule/executors/queue/batch_system.h"

namespace qbitopt {
namespace {

// Minutes of a time as scontrol prints it: "UNLIMITED", "2-00:00:00", "00:05:00"; 0: no limit.
int64_t minutes_of(const std::string& text) {
  static const std::regex form(R"((?:(\d{1,6})-)?(\d{1,6}):(\d\d):(\d\d))");
  std::smatch match;
  if (!std::regex_match(text, match, form)) return 0;
  const int64_t days = match[1].matched ? std::stoll(match[1]) : 0;
  return (days * 24 + std::stoll(match[2])) * 60 + std::stoll(match[3]);
}

// The value of a NAME=VALUE in a line of scontrol; empty if there is none.
std::string value_in(const std::string& line, const std::string& name) {
  const size_t at = (" " + line).find(" " + name + "=");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 1;
  return line.substr(begin, line.find(' ', begin) - begin);
}

// How long before the limit of its time a job is asked for a checkpoint.
constexpr int64_t kCheckpointSeconds = 300;

bool contains_one_of(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}

// States in which a job does not come back.
bool is_final(const std::string& state) {
  for (const char* final : {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED",
                            "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"}) {
    if (state.rfind(final, 0) == 0) return true;
  }
  return false;
}

std::string place_text(const QueuePlace& place) {
  return place.is_whole ? place.id : fmt::format("{}_{}", place.id, place.task);
}

// One line of squeue's answer: "101_0|PENDING|Resources|qbitopt-1b2c". False if it is something else.
bool add_line(const std::string& line, QueueStatus& status) {
  constexpr const char* kDigits = "0123456789";
  const size_t first = line.find('|'), second = line.find('|', first + 1);
  const size_t third = line.find('|', second + 1);
  if (first == std::string::npos || second == std::string::npos || third == std::string::npos)
    return false;
  const size_t id_end = std::min(line.find_first_not_of(kDigits), first);
  const std::string id = line.substr(0, id_end);
  QueueStatus::Row row;
  row.state = line.substr(first + 1, second - first - 1);
  row.state.resize(
      std::min(row.state.size(), row.state.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_")));
  if (id.empty() || row.state.empty()) return false;
  row.is_pending = row.state == "PENDING";
  row.is_over = is_final(row.state);
  row.reason = line.substr(second + 1, third - second - 1);
  if (row.reason == "None") row.reason.clear();
  row.name = line.substr(third + 1);
  status.ids[row.name] = id;
  // Jobs of an array that were canceled before they began share a line without a number.
  int task = 0;
  const char* const number = line.data() + id_end + 1;
  const auto read = std::from_chars(number, line.data() + first, task);
  if (line[id_end] == '_' && read.ec == std::errc() && task >= 0)
    status.rows[{id, task}] = std::move(row);
  return true;
}

class Slurm : public BatchSystem {
 public:
  explicit Slurm(QueueSettings settings) : settings_(std::move(settings)) {}

  std::string executor() const override { return "slurm"; }
  std::string name() const override { return "Slurm"; }
  std::string submitter() const override { return "sbatch"; }
  std::string limits_command() const override {
    return "scontrol show config && { scontrol show partition --oneliner || true; }";
  }

  Limits limits(const CallResult& answer) const override {
    Limits limits{.array = 1000, .queued = 1000};
    static const std::regex line(R"((MaxArraySize|MaxJobCount)\s*=\s*(\d{1,9}))");
    for (std::sregex_iterator it(answer.out.begin(), answer.out.end(), line), end; it != end;
         ++it) {
      const int value = std::max(1, std::stoi((*it)[2]));
      // The largest size is one more than the largest number of a job in an array.
      if ((*it)[1] == "MaxArraySize") limits.array = value;
      if ((*it)[1] == "MaxJobCount") limits.queued = std::min(limits.queued, value);
    }
    add_time_limits(answer.out, limits);
    return limits;
  }

  std::string header(const QueueBatch& batch, const BatchNeeds& needs) const override {
    std::string text;
    const auto add = [&](const std::string& option) { text += "#SBATCH " + option + "\n"; };
    const auto add_if = [&](const char* option, const std::string& value) {
      if (!value.empty()) add(fmt::format("--{}={}", option, value));
    };
    add("--job-name=" + batch.name);
    add(fmt::format("--array=0-{}", batch.tasks.size() - 1));
    add(fmt::format("--output=\"{}/output.%a.txt\"", batch.folder.string()));
    add("--open-mode=append");
    add("--no-requeue");
    // To the script, which passes it on: without the B, what it starts other than by srun would
    // never hear of it.
    const int64_t lead = needs.granted_minutes > 0
                             ? std::min(kCheckpointSeconds, needs.granted_minutes * 60 / 4)
                             : kCheckpointSeconds;
    add(fmt::format("--signal=B:USR1@{}", lead));
    add("--ntasks=1");
    add(fmt::format("--cpus-per-task={}", needs.cpus));
    if (!needs.gpus.empty()) add("--gres=gpu:" + needs.gpus);
    if (needs.megabytes > 0) add(fmt::format("--mem={}M", needs.megabytes));
    if (needs.minutes > 0) add(fmt::format("--time={}", needs.minutes));
    add_if("partition", settings_.partition);
    add_if("account", settings_.account);
    add_if("qos", settings_.qos);
    add_if("constraint", settings_.constraint);
    for (const std::string& option : settings_.options) add(option);
    return text;
  }

  std::string task_variable() const override { return "SLURM_ARRAY_TASK_ID"; }

  std::string submit(const QueueBatch& batch, const BatchNeeds&) const override {
    return "sbatch --parsable " + shell_quoted((batch.folder / "script.sh").string());
  }
  // sbatch hands its variables on. Those of a job that the driver itself runs in would contradict the
  // new job's: srun refuses SLURM_MEM_PER_CPU beside SLURM_MEM_PER_NODE, and binds to cores that it lacks.
  std::string submit_prelude() const override {
    return R"([ -z "$SLURM_JOB_ID" ] || unset $(env | sed -n '/^SLURM_CONF=/d; s/^\(SLURM_[A-Z0-9_]*\)=.*/\1/p'); exec )";
  }

  SubmitAnswer submitted(const CallResult& answer) const override {
    static const std::regex id(R"(\s*(\d+)(;\S*)?\s*)");
    std::smatch match;
    if (answer.is_good()) {
      if (std::regex_match(answer.out, match, id)) return {SubmitAnswer::Kind::kAccepted, match[1]};
      return {SubmitAnswer::Kind::kUnclear, ""};
    }
    if (answer.timed_out) return {SubmitAnswer::Kind::kUnclear, ""};
    if (contains_one_of(answer.err, {"SubmitJob", "job submit limit", "submit limit", "MaxJobCount",
                                     "temporarily unable to accept job"}))
      return {SubmitAnswer::Kind::kFull, ""};
    if (contains_one_of(answer.err, {"Unable to contact", "timed out", "temporarily", "refused",
                                     "Zero Bytes", "Transport endpoint", "ommunication", "backup",
                                     "authentication error", "busy"}))
      return {SubmitAnswer::Kind::kUnclear, ""};
    return {SubmitAnswer::Kind::kRefused, ""};
  }

  // Of all states: jobs that have ended stay for some minutes, and their state says how.
  std::string status(const std::vector<std::string>&) const override {
    return "exec squeue --me --noheader --array --states=all --format='%i|%T|%r|%j'";
  }

  std::optional<QueueStatus> status(const CallResult& answer,
                                    const std::vector<std::string>&) const override {
    if (!answer.is_good()) return std::nullopt;
    QueueStatus status;
    std::istringstream lines(answer.out);
    for (std::string line; std::getline(lines, line);) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      if (!add_line(line, status)) return std::nullopt;
    }
    return status;
  }

  bool tells_names() const override { return true; }

  // One that waits is canceled, one that runs gets the signal that its script waits for.
  std::string cancel(const std::vector<QueuePlace>& jobs, bool is_gentle) const override {
    std::map<std::string, std::string> by_name;
    for (const QueuePlace& job : jobs) by_name[job.name] += " " + place_text(job);
    std::string command = "status=0";
    for (const auto& [name, ids] : by_name) {
      command += fmt::format("; scancel --name={}{}{} || status=$?", name,
                             is_gentle ? " --batch --signal=USR1" : "", ids);
    }
    return command + "; exit $status";
  }

  std::string explain(const QueuePlace& job) const override {
    return "exec sacct --noheader --parsable2 --allocations --format=State --name=" + job.name +
           " --jobs=" + place_text(job);
  }
  std::string explanation(const CallResult& answer) const override {
    const std::string state = answer.is_good() ? answer.out.substr(0, answer.out.find('\n')) : "";
    return is_final(state) ? state : "";
  }

 private:
  // Those of the partition that jobs go to. Nothing is known if several may be meant.
  void add_time_limits(const std::string& text, Limits& limits) const {
    const bool may_be_another = std::any_of(
        settings_.options.begin(), settings_.options.end(), [](const std::string& option) {
          return option.starts_with("-p") || option.starts_with("--partition");
        });
    if (may_be_another) return;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::string name = value_in(line, "PartitionName");
      const bool is_meant = settings_.partition.empty() ? value_in(line, "Default") == "YES"
                                                        : name == settings_.partition;
      if (name.empty() || !is_meant) continue;
      limits.partition = name;
      limits.minutes = minutes_of(value_in(line, "MaxTime"));
      limits.default_minutes = minutes_of(value_in(line, "DefaultTime"));
      if (limits.default_minutes == 0) limits.default_minutes = limits.minutes;
    }
  }

  QueueSettings settings_;
};

}  // namespace

std::unique_ptr<BatchSystem> make_slurm(const QueueSettings& settings) {
  return std::make_unique<Slurm>(settings);
}

}  // namespace qbitopt
