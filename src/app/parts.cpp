// qbitopt methods, models, sensitivities, solvers: lists the parts that a sweep can name, from the
// manifests.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "app/exit_codes.h"
#include "app/fetch.h"
#include "app/known_parts.h"
#include "app/text.h"
#include "app/verbs.h"
#include "app/worker_verb.h"
#include "qbitopt/core/names.h"

namespace qbitopt::app {
namespace {

std::string source_of(const Manifest& part) {
  return part.library.empty() ? "built in" : part.library;
}

Json part_json(const Manifest& part) {
  Json parameters = Json::array();
  for (const ParameterSpec& parameter : part.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"type", parameter.type},
                          {"unit", parameter.unit},
                          {"default", parameter.default_value},
                          {"description", parameter.description}});
  }
  Json json = {{"name", part.name},         {"version", part.version},
               {"summary", part.summary},   {"citation", part.citation},
               {"source", source_of(part)}, {"parameters", parameters}};
  if (part.kind == "model") json.update({{"weights", part.weights}, {"macs", part.macs}});
  return json;
}

std::string describe(const Manifest& part) {
  std::string text = fmt::format("{} (version {}): {}\n", part.name, part.version, part.summary);
  if (!part.citation.empty()) text += part.citation + "\n";
  if (!part.library.empty()) text += "from " + part.library + "\n";
  if (part.kind == "model")
    text += fmt::format("{} weights, {} multiplications per image\n", part.weights, part.macs);
  if (!part.obtain.empty()) text += "Files: " + part.obtain + "\n";
  std::vector<std::vector<std::string>> rows = {
      {"parameter", "type", "unit", "default", "meaning"}};
  for (const ParameterSpec& parameter : part.parameters) {
    rows.push_back({parameter.name, parameter.type, parameter.unit, plain(parameter.default_value),
                    parameter.description});
  }
  if (rows.size() > 1) text += "\n" + columns(rows);
  return text;
}

CommandLine line_of(const std::string& plural, const std::string& more = "") {
  CommandLine line(plural + " [NAME] [options]",
                   "Lists the " + plural + " that a sweep may name, or describes one." + more);
  line.add_json();
  line.add_positional("name", 1);
  return line;
}

// `kind`: as in manifests.
int list(const Invocation& invocation, const std::string& kind, const CommandLine& line) {
  const Catalog catalog = known_parts();
  if (line.has("name")) {
    const Manifest& part = catalog.get(kind, line.words("name").front());
    if (line.json()) {
      invocation.console.print_json(part_json(part));
    } else {
      invocation.console.print(describe(part));
    }
    return kGood;
  }
  Json json = Json::array();
  const bool has_sizes = kind == "model";
  std::vector<std::vector<std::string>> rows = {{kind, "version", "source", "summary"}};
  if (has_sizes) rows.front().insert(rows.front().begin() + 3, {"weights", "MACs per image"});
  for (const std::string& name : catalog.names(kind)) {
    const Manifest& part = catalog.get(kind, name);
    json.push_back(part_json(part));
    rows.push_back({name, std::to_string(part.version), source_of(part), part.summary});
    if (has_sizes) {
      rows.back().insert(rows.back().begin() + 3,
                         {std::to_string(part.weights), std::to_string(part.macs)});
    }
  }
  if (line.json()) {
    invocation.console.print_json(json);
  } else {
    invocation.console.print(columns(rows));
  }
  return kGood;
}

int list(const Invocation& invocation, const std::string& kind, const std::string& plural) {
  CommandLine line = line_of(plural);
  return line.parse(invocation) ? list(invocation, kind, line) : kGood;
}

}  // namespace

int methods(const Invocation& invocation) { return list(invocation, "method", "methods"); }

int models(const Invocation& invocation) {
  namespace po = boost::program_options;
  CommandLine line = line_of("models",
                             "\nWith --quantizers, lists the quantizers of NAME; with --fetch, "
                             "downloads\nits published weights.");
  line.options()("quantizers", po::bool_switch(),
                 "list NAME's quantizers with kind, grid, elements, MACs and bits");
  const std::vector<std::string> sizes = {"image_size", "channels", "classes"};
  for (const std::string& size : sizes)
    line.options()(size.c_str(), po::value<std::string>()->value_name("N"),
                   "for --quantizers (default: from the model's manifest)");
  const std::vector<std::string> patterns = {"skip", "pin"};
  for (const std::string& name : patterns)
    line.options()(name.c_str(), po::value<std::string>()->value_name("PATTERNS"),
                   ("for --quantizers: as quantizers." + name + ", with commas between").c_str());
  line.options()("products", po::bool_switch(), "for --quantizers: as quantizers.products");
  add_fetch_options(line);
  if (!line.parse(invocation)) return kGood;
  for (const char* name : {"to", "mirror"}) {
    if (line.has(name) && !line.is_on("fetch"))
      throw UsageError(fmt::format("--{} is an option of --fetch", name));
  }
  if (line.is_on("fetch")) {
    if (line.is_on("quantizers")) throw UsageError("choose one of --fetch and --quantizers");
    if (!line.has("name")) throw UsageError("models --fetch needs the NAME of a model");
    return fetch_weights(line, known_parts().get("model", line.words("name").front()),
                         invocation.console);
  }
  if (!line.is_on("quantizers")) {
    for (const auto* names : {&sizes, &patterns}) {
      for (const std::string& name : *names) {
        if (line.has(name)) throw UsageError("--" + name + " is an option of --quantizers");
      }
    }
    if (line.is_on("products")) throw UsageError("--products is an option of --quantizers");
    return list(invocation, "model", line);
  }
  if (!line.has("name")) throw UsageError("models --quantizers needs the NAME of a model");
  // Only the worker knows the layers of a network.
  const std::string name = line.words("name").front();
  std::vector<std::string> arguments = {"inventory", name};
  const Catalog catalog = known_parts();
  const Manifest& model = catalog.get("model", name);
  for (const std::string& size : sizes) {
    if (!line.has(size) && names_graph_file(name)) continue;  // the file gives it
    const auto said = [&] {
      return std::to_string(size == "image_size" ? model.image_size : model.facts.at(size));
    };
    arguments.push_back("--" + size + "=" +
                        (line.has(size) ? line.get<std::string>(size) : said()));
  }
  for (const std::string& name : patterns) {
    if (line.has(name)) arguments.push_back("--" + name + "=" + line.get<std::string>(name));
  }
  if (line.is_on("products")) arguments.push_back("--products");
  if (line.json()) arguments.push_back("--json");
  become_worker(std::move(arguments));
}

int sensitivities(const Invocation& invocation) {
  return list(invocation, "sensitivity", "sensitivities");
}
int solvers(const Invocation& invocation) { return list(invocation, "solver", "solvers"); }

}  // namespace qbitopt::app
