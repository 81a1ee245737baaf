// A queue by the commands that its user gives: PBS, LSF, Grid Engine, and whatever comes.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <regex>
#include <sstream>

#include "qbitopt/schedule/executors/queue/batch_system.h"

namespace qbitopt {
namespace {

std::string with(std::string text, const std::string& name, const std::string& value) {
  for (size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size())
    text.replace(at, name.size(), value);
  return text;
}

std::string joined(std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return fmt::to_string(fmt::join(ids, " "));
}

// True if the text names this id, not a longer one that contains it.
bool names_id(const std::string& text, const std::string& id) {
  const auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (size_t at = 0; (at = text.find(id, at)) != std::string::npos; ++at) {
    const bool begins = at == 0 || !is_part(text[at - 1]);
    const bool ends = at + id.size() >= text.size() || !is_part(text[at + id.size()]);
    if (begins && ends) return true;
  }
  return false;
}

class CommandTemplate : public BatchSystem {
 public:
  explicit CommandTemplate(QueueSettings settings)
      : settings_(std::move(settings)),
        id_(settings_.id.empty() ? R"(\S+)" : settings_.id),
        done_(settings_.done) {}

  std::string executor() const override { return "command"; }
  std::string name() const override { return "the queue"; }
  std::string submitter() const override {
    return settings_.submit.substr(0, settings_.submit.find(' '));
  }

  std::string header(const QueueBatch&, const BatchNeeds&) const override { return ""; }

  std::string submit(const QueueBatch& batch, const BatchNeeds& needs) const override {
    std::string command = settings_.submit;
    command = with(command, "{script}", shell_quoted((batch.folder / "script.sh").string()));
    command = with(command, "{name}", batch.name);
    command = with(command, "{cpus}", std::to_string(needs.cpus));
    command = with(command, "{gpus}", needs.gpus.empty() ? "0" : needs.gpus);
    command = with(command, "{memory}", std::to_string(needs.megabytes));
    return with(command, "{minutes}", std::to_string(needs.minutes));
  }

  SubmitAnswer submitted(const CallResult& answer) const override {
    if (answer.timed_out) return {SubmitAnswer::Kind::kUnclear, ""};
    if (answer.exit_code != 0) return {SubmitAnswer::Kind::kRefused, ""};
    std::smatch match;
    if (!std::regex_search(answer.out, match, id_)) return {SubmitAnswer::Kind::kUnclear, ""};
    return {SubmitAnswer::Kind::kAccepted, match.size() > 1 ? match[1] : match[0]};
  }

  std::string status(const std::vector<std::string>& ids) const override {
    return with(settings_.status, "{id}", joined(ids));
  }

  // A job whose id is listed is there. One that is not listed is gone if the command succeeded, or
  // if its error names the job ("Unknown Job Id 123"); an error of another kind tells nothing.
  std::optional<QueueStatus> status(const CallResult& answer,
                                    const std::vector<std::string>& ids) const override {
    if (answer.timed_out) return std::nullopt;
    QueueStatus status;
    for (const std::string& id : ids) {
      const std::string line = line_with(answer.out, id);
      if (!line.empty()) {
        QueueStatus::Row row{"in the queue"};
        row.is_over = !settings_.done.empty() && std::regex_search(line, done_);
        status.rows[{id, 0}] = row;
      } else if (answer.exit_code != 0 && !names_id(answer.err, id)) {
        status.unknown.push_back(id);
      }
    }
    if (!ids.empty() && status.unknown.size() == ids.size()) return std::nullopt;
    return status;
  }

  std::string cancel(const std::vector<QueuePlace>& jobs, bool) const override {
    std::vector<std::string> ids;
    for (const QueuePlace& job : jobs) ids.push_back(job.id);
    return with(settings_.cancel, "{id}", joined(std::move(ids)));
  }

 private:
  static std::string line_with(const std::string& text, const std::string& id) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (names_id(line, id)) return line;
    }
    return "";
  }

  QueueSettings settings_;
  std::regex id_;
  std::regex done_;
};

}  // namespace

std::unique_ptr<BatchSystem> make_command_template(const QueueSettings& settings) {
  return std::make_unique<CommandTemplate>(settings);
}

}  // namespace qbitopt
