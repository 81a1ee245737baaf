#include "qbitopt/job/job.h"

namespace qbitopt {

void to_json(Json& json, const Job& job) {
  json = {{"key", job.key},
          {"config_key", job.config_key},
          {"parameters", job.parameters},
          {"versions", job.versions},
          {"needs", job.needs},
          {"guarantees_budget", job.guarantees_budget}};
}

void from_json(const Json& json, Job& job) {
  json.at("key").get_to(job.key);
  json.at("config_key").get_to(job.config_key);
  job.parameters = json.at("parameters");
  json.at("versions").get_to(job.versions);
  json.at("needs").get_to(job.needs);
  json.at("guarantees_budget").get_to(job.guarantees_budget);
}

void to_json(Json& json, const Attempt& attempt) {
  json = {{"job", attempt.job},
          {"number", attempt.number},
          {"folder", attempt.folder},
          {"inputs", attempt.inputs},
          {"resume_from", attempt.resume_from}};
}

void from_json(const Json& json, Attempt& attempt) {
  json.at("job").get_to(attempt.job);
  json.at("number").get_to(attempt.number);
  json.at("folder").get_to(attempt.folder);
  json.at("inputs").get_to(attempt.inputs);
  json.at("resume_from").get_to(attempt.resume_from);
}

}  // namespace qbitopt
