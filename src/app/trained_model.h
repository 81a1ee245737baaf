#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace qbitopt::app {

// What a finished job left, for the worker.
struct TrainedModel {
  std::string file;  // model.pth
  std::string job;   // as JSON
};

// Throws InputError if no job has a key that begins so, if it is not finished, or if its file is
// gone or not what the job left.
TrainedModel model_of_job(const std::filesystem::path& database, const std::string& prefix);

// The job that left a file in its folder, as JSON; nullopt if none did.
std::optional<std::string> job_beside(const std::filesystem::path& file);

}  // namespace qbitopt::app
