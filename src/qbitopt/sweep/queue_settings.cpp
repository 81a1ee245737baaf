#include "qbitopt/sweep/queue_settings.h"

#include <fmt/format.h>

#include <regex>

#include "qbitopt/sweep/run_settings.h"

namespace qbitopt {
namespace {

enum class QueueValue { kText, kTexts, kLines, kCount, kTime, kMemory, kPattern };

struct QueueKey {
  const char* name;
  QueueValue value;
  const char* executor;     // that has it; empty: all
  const char* stored = "";  // name with its unit; empty: the same
};

constexpr QueueKey kQueueKeys[] = {
    {"partition", QueueValue::kText, "slurm"},
    {"account", QueueValue::kText, "slurm"},
    {"qos", QueueValue::kText, "slurm"},
    {"constraint", QueueValue::kText, "slurm"},
    {"options", QueueValue::kTexts, "slurm"},
    {"submit", QueueValue::kText, "command"},
    {"status", QueueValue::kText, "command"},
    {"cancel", QueueValue::kText, "command"},
    {"id", QueueValue::kPattern, "command"},
    {"done", QueueValue::kPattern, "command"},
    {"launch", QueueValue::kText, ""},
    {"before", QueueValue::kLines, ""},
    {"gpus_per_job", QueueValue::kText, ""},
    {"cpus_per_job", QueueValue::kCount, ""},
    {"memory", QueueValue::kMemory, "", "memory_megabytes"},
    {"time", QueueValue::kTime, "", "time_seconds"},
    {"pack", QueueValue::kTime, "", "pack_seconds"},
    {"max_queued", QueueValue::kCount, ""},
    {"collect", QueueValue::kTime, "", "collect_seconds"},
    {"poll", QueueValue::kTime, "", "poll_seconds"},
    {"grace", QueueValue::kTime, "", "grace_seconds"},
    {"patience", QueueValue::kTime, "", "patience_seconds"},
};

std::string word_at(const YamlNode& node, const std::string& what) {
  if (!node.is_scalar() || node.scalar.is_null() || node.scalar == "")
    fail_at(node.place, what + " must be a string, found " + node.found());
  return node.scalar.is_string() ? node.scalar.get<std::string>() : node.scalar.dump();
}

// What becomes a line of a script.
std::string one_line(const YamlNode& node, const std::string& what) {
  const std::string text = word_at(node, what);
  if (text.find('\n') != std::string::npos) fail_at(node.place, what + " must be a single line");
  return text;
}

int64_t megabytes(const YamlNode& node, const std::string& what) {
  static const std::regex form(R"((\d{1,9})([MGT])B?)", std::regex::icase);
  const std::string text = node.is_scalar() ? word_at(node, what) : "";
  std::smatch match;
  if (!std::regex_match(text, match, form) || std::stoll(match[1]) == 0)
    fail_at(node.place, what + " must be a size like 900M, 16G or 1T, found " + node.found());
  const char unit = static_cast<char>(std::toupper(match[2].str()[0]));
  return std::stoll(match[1]) * (unit == 'M' ? 1 : unit == 'G' ? 1024 : 1024 * 1024);
}

std::string pattern(const YamlNode& node, const std::string& what) {
  const std::string text = word_at(node, what);
  try {
    std::regex{text};
  } catch (const std::regex_error& error) {
    fail_at(node.place, fmt::format("{} must be a regular expression: {}", what, error.what()));
  }
  return text;
}

Json value_of(const YamlNode& node, QueueValue value, const std::string& what) {
  switch (value) {
    case QueueValue::kText:
      return one_line(node, what);
    case QueueValue::kLines:
      return word_at(node, what);
    case QueueValue::kPattern:
      return pattern(node, what);
    case QueueValue::kMemory:
      return megabytes(node, what);
    case QueueValue::kTime:
      return seconds(node);
    case QueueValue::kTexts: {
      Json texts = Json::array();
      if (node.is_scalar()) return Json::array({one_line(node, what)});
      if (!node.is_list()) fail_at(node.place, what + " must be a list, found " + node.found());
      for (const YamlNode& item : node.items) texts.push_back(one_line(item, what));
      return texts;
    }
    case QueueValue::kCount: {
      const auto count = read_count(node, 1);
      if (!count)
        fail_at(node.place, what + " must be a count of at least 1, found " + node.found());
      return *count;
    }
  }
  return {};
}

void expect_part(const YamlNode& node, const YamlNode& map, const Json& settings, const char* key,
                 const std::string& part) {
  if (!settings.contains(key)) {
    fail_at(map.place, fmt::format("run.command has no '{}': the executor `command` needs submit, "
                                   "status and cancel, as in submit: \"qsub {{script}}\", status: "
                                   "\"qstat {{id}}\", cancel: \"qdel {{id}}\"",
                                   key));
  }
  if (!part.empty() && settings[key].get<std::string>().find(part) == std::string::npos)
    fail_at(node.place, fmt::format("run.command.{} must contain {}", key, part));
}

}  // namespace

Json read_queue_settings(const YamlNode& node, const std::string& executor, bool is_whole) {
  const std::string where = "run." + executor;
  std::vector<std::string> known;
  for (const QueueKey& key : kQueueKeys) {
    if (*key.executor == '\0' || key.executor == executor) known.push_back(key.name);
  }
  expect_keys(node, where, known);
  Json settings = Json::object();
  for (const QueueKey& key : kQueueKeys) {
    const YamlNode* value = node.find(key.name);
    if (value == nullptr) continue;
    const std::string name = *key.stored == '\0' ? key.name : key.stored;
    settings[name] = value_of(*value, key.value, where + "." + key.name);
  }
  if (executor == "command" && is_whole) {
    const auto at = [&](const char* key) -> const YamlNode& {
      return node.find(key) ? *node.find(key) : node;
    };
    expect_part(at("submit"), node, settings, "submit", "{script}");
    expect_part(at("status"), node, settings, "status", "");
    expect_part(at("cancel"), node, settings, "cancel", "{id}");
  }
  return settings;
}

QueueSettings queue_settings(const Json& json) {
  QueueSettings settings;
  const auto take = [&](const char* name, auto& value) { value = json.value(name, value); };
  take("partition", settings.partition);
  take("account", settings.account);
  take("qos", settings.qos);
  take("constraint", settings.constraint);
  take("options", settings.options);
  take("submit", settings.submit);
  take("status", settings.status);
  take("cancel", settings.cancel);
  take("id", settings.id);
  take("done", settings.done);
  take("launch", settings.launch);
  take("before", settings.before);
  take("gpus_per_job", settings.gpus_per_job);
  take("cpus_per_job", settings.cpus_per_job);
  take("memory_megabytes", settings.memory_megabytes);
  take("time_seconds", settings.time_seconds);
  take("pack_seconds", settings.pack_seconds);
  take("max_queued", settings.max_queued);
  take("collect_seconds", settings.collect_seconds);
  take("poll_seconds", settings.poll_seconds);
  take("grace_seconds", settings.grace_seconds);
  take("patience_seconds", settings.patience_seconds);
  return settings;
}

}  // namespace qbitopt
