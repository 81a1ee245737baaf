#include "qbitopt/config/manifest.h"

#include <algorithm>

#include "qbitopt/config/value.h"
#include "qbitopt/config/yaml.h"

namespace qbitopt {
namespace {

const std::vector<std::string> kKinds = {"method",      "model",  "data",
                                         "sensitivity", "solver", "group"};

ParameterSpec read_parameter(const std::string& name, const YamlNode& node) {
  const std::string what = "parameter '" + name + "'";
  expect_keys(node, what,
              {"type", "unit", "description", "default", "min", "max", "choices", "required",
               "affects_result", "neutral"});
  ParameterSpec spec;
  spec.name = name;
  const YamlNode* type = node.find("type");
  if (!type) fail_at(node.place, what + " has no type");
  spec.type = expect_text(*type, "type");
  if (!is_value_type(spec.type) &&
      std::find(kKinds.begin(), kKinds.end(), spec.type) == kKinds.end()) {
    fail_at(type->place,
            "unknown type '" + spec.type + "' of " + what +
                "; known: bool, int, float, decimal, string, path, choice, list of one of "
                "these, or a kind of part");
  }
  const YamlNode* description = node.find("description");
  if (!description) fail_at(node.place, what + " has no description");
  spec.description = expect_text(*description, "description");
  if (const YamlNode* unit = node.find("unit")) spec.unit = expect_text(*unit, "unit");
  if (const YamlNode* minimum = node.find("min")) spec.minimum = expect_number(*minimum, "min");
  if (const YamlNode* maximum = node.find("max")) spec.maximum = expect_number(*maximum, "max");
  if (const YamlNode* choices = node.find("choices"))
    spec.choices = expect_texts(*choices, "choices");
  if (const YamlNode* required = node.find("required"))
    spec.required = expect_bool(*required, "required");
  if (const YamlNode* affects = node.find("affects_result")) {
    spec.affects_result = expect_bool(*affects, "affects_result");
  }
  if (spec.choices.empty() && spec.type.find("choice") != std::string::npos) {
    fail_at(type->place, what + " is a choice, but has no `choices`");
  }
  for (auto& [field, value] :
       {std::pair{"default", &spec.default_value}, std::pair{"neutral", &spec.neutral}}) {
    const YamlNode* given = node.find(field);
    if (!given || given->is_null()) continue;
    try {
      *value = normalized(spec, given->json());
    } catch (const InputError& error) {
      fail_at(given->place, std::string(field) + " of " + what + ": " + error.what());
    }
  }
  return spec;
}

Need read_need(const std::string& name, const YamlNode& node) {
  const std::string what = "need '" + name + "'";
  expect_keys(node, what, {"job", "artifact", "if_given", "optional"});
  const YamlNode* optional = node.find("optional");
  const bool is_optional = optional && expect_bool(*optional, "optional");
  const YamlNode* job = node.find("job");
  if (is_optional && job) {
    fail_at(job->place, what +
                            " is optional and names a job; leave out `job`, because the sweep "
                            "that uses the need names it, or leave out `optional`");
  }
  const YamlNode* given = node.find("if_given");
  if (is_optional && given) {
    fail_at(given->place, what +
                              " is optional and has if_given; leave out `if_given`, because only "
                              "a sweep that names the need uses it, or leave out `optional`");
  }
  if (!is_optional && (!job || !job->is_map()))
    fail_at(node.place,
            what + " has no `job`; write {job: {method: fp32, seed: 0}, artifact: model}");
  const YamlNode* artifact = node.find("artifact");
  if (!artifact)
    fail_at(node.place,
            what + " has no `artifact`; write {job: {method: fp32, seed: 0}, artifact: model}");
  Need need{is_optional, is_optional ? Json::object() : job->json(),
            expect_text(*artifact, "artifact"), ""};
  if (given) need.if_given = expect_text(*given, "if_given");
  return need;
}

void read_includes(const YamlNode& node, Manifest& manifest) {
  if (!node.is_map())
    fail_at(node.place,
            "includes must map prefixes to groups, as in {training: optimization, \"\": [budget]}");
  for (const YamlNode::Entry& entry : node.entries) {
    for (const std::string& group : expect_texts(entry.value, "an included group")) {
      manifest.includes.emplace_back(entry.key, group);
    }
  }
}

void make_optional(const YamlNode& node, Manifest& manifest) {
  if (!manifest.is_optional) return;
  if (manifest.kind != "group")
    fail_at(node.place, "only a group can be optional, found a " + manifest.kind);
  for (ParameterSpec& spec : manifest.parameters) {
    spec.version = manifest.version;
    if (spec.default_value != spec.neutral || spec.required) {
      fail_at(node.place, "parameter '" + spec.name +
                              "' of an optional group needs a neutral value equal to its default, "
                              "or no default");
    }
  }
}

void read_contents(const YamlNode& node, Manifest& manifest) {
  if (!node.is_map()) {
    for (const std::string& file : expect_texts(node, "contents")) manifest.contents[file];
    return;
  }
  for (const YamlNode::Entry& entry : node.entries) {
    manifest.contents[entry.key] =
        entry.value.is_null() ? "" : expect_text(entry.value, "a sha256");
  }
}

void read_offer(const YamlNode& node, Manifest& manifest) {
  expect_keys(node, "download", {"address", "file", "sha256"});
  const YamlNode* address = node.find("address");
  if (!address) fail_at(node.place, "download has no `address`");
  Manifest::Offer& offer = manifest.download;
  offer.address = expect_text(*address, "address");
  if (!offer.address.starts_with("https://") && !offer.address.starts_with("http://"))
    fail_at(address->place, "address must begin with https:// or http://, found " + offer.address);
  const YamlNode* file = node.find("file");
  offer.file =
      file ? expect_text(*file, "file") : offer.address.substr(offer.address.find_last_of('/') + 1);
  if (offer.file.empty() || offer.file.find('/') != std::string::npos)
    fail_at(node.place,
            "download needs `file`, a name without slashes, found '" + offer.file + "'");
  const YamlNode* digits = node.find("sha256");
  if (!digits) return;
  offer.sha256 = expect_text(*digits, "sha256");
  if (offer.sha256.size() < 8 || offer.sha256.size() > 64 ||
      offer.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
    fail_at(digits->place, "sha256 must be 8 to 64 hexadecimal digits in lower case, found '" +
                               offer.sha256 + "'");
  }
}

void read_facts(const YamlNode& node, Manifest& manifest) {
  if (!node.is_map()) fail_at(node.place, "facts must be a map, found " + node.found());
  for (const YamlNode::Entry& entry : node.entries)
    manifest.facts[entry.key] = expect_int(entry.value, entry.key);
}

}  // namespace

std::optional<std::string> Need::referenced_key(const Json& value) {
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  return text.starts_with('$') ? std::optional(text.substr(1)) : std::nullopt;
}

Manifest read_manifest(const std::string& source, const std::string& text) {
  const YamlNode root = parse_yaml(source, text);
  expect_keys(root, "a manifest", {"kind",         "name",           "version",
                                   "summary",      "citation",       "guarantees_budget",
                                   "needs",        "includes",       "parameters",
                                   "layout",       "contents",       "obtain",
                                   "weights",      "macs",           "facts",
                                   "train_images", "head",           "classes",
                                   "optional",     "inner_weights",  "inner_macs",
                                   "image_size",   "image_channels", "download"});
  Manifest manifest;
  manifest.source = source;
  for (const char* field : {"kind", "name", "version", "summary"}) {
    if (!root.find(field)) fail_at(root.place, std::string("this manifest has no ") + field);
  }
  manifest.kind = expect_text(*root.find("kind"), "kind");
  if (std::find(kKinds.begin(), kKinds.end(), manifest.kind) == kKinds.end()) {
    fail_at(root.find("kind")->place,
            "unknown kind '" + manifest.kind +
                "'; known: method, model, data, sensitivity, solver, group");
  }
  manifest.name = expect_text(*root.find("name"), "name");
  manifest.version = static_cast<int>(expect_int(*root.find("version"), "version"));
  manifest.summary = expect_text(*root.find("summary"), "summary");
  if (const YamlNode* node = root.find("citation"))
    manifest.citation = expect_text(*node, "citation");
  if (const YamlNode* node = root.find("guarantees_budget")) {
    manifest.guarantees_budget = expect_bool(*node, "guarantees_budget");
  }
  if (const YamlNode* node = root.find("includes")) read_includes(*node, manifest);
  if (const YamlNode* node = root.find("needs")) {
    if (!node->is_map()) fail_at(node->place, "needs must be a map, found " + node->found());
    for (const YamlNode::Entry& entry : node->entries)
      manifest.needs[entry.key] = read_need(entry.key, entry.value);
  }
  if (const YamlNode* node = root.find("parameters")) {
    if (!node->is_map()) fail_at(node->place, "parameters must be a map, found " + node->found());
    for (const YamlNode::Entry& entry : node->entries) {
      manifest.parameters.push_back(read_parameter(entry.key, entry.value));
    }
  }
  if (const YamlNode* node = root.find("optional")) {
    manifest.is_optional = expect_bool(*node, "optional");
    make_optional(*node, manifest);
  }
  if (const YamlNode* node = root.find("layout")) {
    manifest.layout = expect_text(*node, "layout");
    if (manifest.layout != "imagenet" && manifest.layout != "tensors")
      fail_at(node->place, "unknown layout '" + manifest.layout + "'; known: imagenet, tensors");
  }
  if (const YamlNode* node = root.find("contents")) read_contents(*node, manifest);
  if (const YamlNode* node = root.find("download")) read_offer(*node, manifest);
  if (const YamlNode* node = root.find("obtain")) manifest.obtain = expect_text(*node, "obtain");
  if (const YamlNode* node = root.find("weights")) manifest.weights = expect_int(*node, "weights");
  if (const YamlNode* node = root.find("macs")) manifest.macs = expect_int(*node, "macs");
  if (const YamlNode* node = root.find("inner_weights"))
    manifest.inner_weights = expect_int(*node, "inner_weights");
  if (const YamlNode* node = root.find("inner_macs"))
    manifest.inner_macs = expect_int(*node, "inner_macs");
  if (const YamlNode* node = root.find("image_size"))
    manifest.image_size = expect_int(*node, "image_size");
  if (const YamlNode* node = root.find("image_channels"))
    manifest.image_channels = expect_int(*node, "image_channels");
  if (const YamlNode* node = root.find("head")) manifest.head = expect_text(*node, "head");
  if (const YamlNode* node = root.find("classes")) manifest.classes = expect_int(*node, "classes");
  if (const YamlNode* node = root.find("train_images"))
    manifest.train_images = expect_int(*node, "train_images");
  if (const YamlNode* node = root.find("facts")) read_facts(*node, manifest);
  return manifest;
}

}  // namespace qbitopt
