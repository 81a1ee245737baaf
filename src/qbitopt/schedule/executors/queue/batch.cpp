#include "qbitopt/schedule/executors/queue/batch.h"

#include <fmt/format.h>

#include <random>
#include <system_error>

#include "qbitopt/core/output_file.h"

namespace qbitopt {
namespace {

constexpr const char* kBatchStates[] = {"new", "submitted", "refused"};

void write_durably(const std::filesystem::path& file, const std::string& text) {
  OutputFile output(file);
  output.write(text);
  output.commit();
}

QueueBatch batch_of(const Json& json, const std::filesystem::path& folder) {
  QueueBatch batch;
  batch.folder = folder;
  batch.name = json.at("name").get<std::string>();
  batch.id = json.at("id").get<std::string>();
  batch.executor = json.value("executor", "");
  batch.settings = json.value("settings", Json::object());
  const std::string state = json.at("state").get<std::string>();
  if (state == "submitted") batch.state = QueueBatch::State::kSubmitted;
  if (state == "refused") batch.state = QueueBatch::State::kRefused;
  for (const Json& task : json.at("tasks")) {
    auto& entries = batch.tasks.emplace_back();
    for (const Json& entry : task)
      entries.push_back(
          {entry.at("key").get<std::string>(), entry.at("folder").get<std::string>()});
  }
  return batch;
}

}  // namespace

std::string new_batch_name() {
  std::random_device random;
  return fmt::format("qbitopt-{:08x}{:04x}", random(), random() & 0xFFFF);
}

void make_batch(const QueueBatch& batch, const std::string& script) {
  std::filesystem::create_directories(batch.folder);
  write_durably(batch.folder / "script.sh", script);
  std::string list;  // in one file: a thousand of them would take seconds to reach the disk
  for (size_t task = 0; task < batch.tasks.size(); ++task) {
    for (const QueueBatch::Entry& entry : batch.tasks[task])
      list += fmt::format("{} {}\n", task, entry.folder);
  }
  write_durably(batch.folder / "tasks", list);
  record(batch);
}

void record(const QueueBatch& batch) {
  Json tasks = Json::array();
  for (const auto& task : batch.tasks) {
    Json& entries = tasks.emplace_back(Json::array());
    for (const QueueBatch::Entry& entry : task)
      entries.push_back({{"key", entry.key}, {"folder", entry.folder}});
  }
  const Json json = {{"name", batch.name},
                     {"id", batch.id},
                     {"state", kBatchStates[static_cast<int>(batch.state)]},
                     {"executor", batch.executor},
                     {"settings", batch.settings},
                     {"tasks", tasks}};
  write_durably(batch.folder / "batch.json", json.dump(1) + "\n");
}

std::vector<QueueBatch> recorded_batches(const std::filesystem::path& runs) {
  std::vector<QueueBatch> batches;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(runs / "batches", none)) {
    if (!std::filesystem::exists(entry.path() / "batch.json", none)) continue;
    try {
      batches.push_back(batch_of(read_json(entry.path() / "batch.json"), entry.path()));
    } catch (const std::exception&) {  // its attempts count as never submitted
    }
  }
  return batches;
}

}  // namespace qbitopt
