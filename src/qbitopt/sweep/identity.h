#pragma once

#include <map>
#include <string>

#include "qbitopt/config/manifest.h"
#include "qbitopt/core/json.h"

namespace qbitopt {

// What a job's result depends on. Two jobs with the same key are the same job, in whatever sweep
// they stand.
struct Identity {
  // Every parameter that affects the result and does not have its neutral value.
  Json parameters = Json::object();
  std::map<std::string, int> versions;  // of its manifests: "method:qbitopt" -> 1
  std::string data;                     // fingerprint of its data set, and of published weights
  std::map<std::string, std::string> needs;  // need's name -> key of the job that meets it
};

// Canonical JSON (RFC 8785): {"data", "format", "needs", "parameters", "versions"}. The key of a
// job is its sha256. The config key is that of the same job without the parameter "seed", where a
// needed job counts with its config key unless the need says its seed.
std::string identity_text(const Identity& identity);

// The fragments of the same text, for many jobs that differ in a few parameters:
// head + needs + middle + one identity_fragment() for each parameter, sorted by name + tail.
struct IdentityText {
  std::string head;    // up to the needs
  std::string middle;  // up to the parameters
  std::string tail;    // from behind them
};
IdentityText identity_frame(const std::map<std::string, int>& versions, const std::string& data);
// ",\"name\":value"; empty if this value is not part of the identity. From version 2 of an optional
// group on, "value" is {"value", "version"}. The first fragment's comma becomes a brace.
std::string identity_fragment(const std::string& name, const ParameterSpec& spec,
                              const Json& value);

}  // namespace qbitopt
