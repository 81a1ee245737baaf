#include "app/trained_model.h"

#include <fmt/format.h>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/json.h"
#include "qbitopt/core/names.h"
#include "qbitopt/runlog/queries.h"

namespace fs = std::filesystem;

namespace qbitopt::app {

TrainedModel model_of_job(const fs::path& database, const std::string& prefix) {
  const Reader reader(database);
  const std::string key = find_key(reader, prefix);
  const std::string job = short_key(key);
  const auto model = finished_artifact(reader, key, "model");
  if (!model) {
    throw InputError(
        fmt::format("job {} is not finished; `qbitopt show {}` says how far it is", job, job));
  }
  if (!fs::exists(model->path)) {
    throw InputError(
        fmt::format("{}: gone, but job {} left it; put it back, or `qbitopt retry {}` "
                    "makes it anew",
                    model->path, job, job));
  }
  if (const std::string found = sha256_of_file(model->path); found != model->sha256) {
    throw InputError(
        fmt::format("{}: not what job {} left: its sha256 is {}..., expected {}...; `qbitopt retry "
                    "{}` makes it anew",
                    model->path, job, found.substr(0, 10), model->sha256.substr(0, 10), job));
  }
  return {model->path, Json(stored_job(reader, key)).dump()};
}

std::optional<std::string> job_beside(const fs::path& file) {
  const fs::path job = fs::absolute(file).parent_path() / "job.json";
  if (!fs::exists(job)) return std::nullopt;
  return Json(read_json(job).get<Attempt>().job).dump();
}

}  // namespace qbitopt::app
