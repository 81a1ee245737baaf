#include "qbitopt/sweep/identity.h"

namespace qbitopt {
namespace {

constexpr int kFormat = 1;  // raised when keys are made in another way

}  // namespace

std::string identity_text(const Identity& identity) {
  return canonical_json({{"data", identity.data},
                         {"format", kFormat},
                         {"needs", identity.needs},
                         {"parameters", identity.parameters},
                         {"versions", identity.versions}});
}

IdentityText identity_frame(const std::map<std::string, int>& versions, const std::string& data) {
  return {"{\"data\":" + canonical_json(data) + ",\"format\":" + std::to_string(kFormat) +
              ",\"needs\":",
          ",\"parameters\":", ",\"versions\":" + canonical_json(Json(versions)) + "}"};
}

std::string identity_fragment(const std::string& name, const ParameterSpec& spec,
                              const Json& value) {
  if (value.is_null() || !spec.affects_result) return "";
  if (!spec.neutral.is_null() && value == spec.neutral) return "";
  const Json counted = spec.version > 1 ? Json{{"value", value}, {"version", spec.version}} : value;
  return "," + canonical_json(name) + ":" + canonical_json(counted);
}

}  // namespace qbitopt
