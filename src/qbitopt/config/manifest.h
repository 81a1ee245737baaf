#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"

namespace qbitopt {

// One key that a job may carry, as its manifest declares it.
struct ParameterSpec {
  std::string name;  // dotted: "budget.average_bits"
  // "bool" | "int" | "float" | "string" | "path" (a string in which `~` is the home folder) |
  // "decimal" | "choice" | "list of <one of these>", or a kind of registered part ("method", "model", "data", "sensitivity", "solver"): then the chosen
  // part's own manifest applies as well.
  std::string type;
  std::string unit;         // empty: none
  std::string description;  // one line
  Json default_value;       // null: absent unless given
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::vector<std::string> choices;  // of a "choice"
  bool required = false;
  // False: not part of a job's identity (a path, a number of loader threads).
  bool affects_result = true;
  // A job whose value equals this hashes as if the parameter did not exist; for parameters added
  // later.
  Json neutral;
  // Of an optional group, else 0: raised, it changes the keys of the jobs alone in which the
  // parameter is part of the identity.
  int version = 0;
};

// A job that must be finished before one of this method starts.
struct Need {
  // Whether there is such a job only where the sweep names it below `needs:`.
  bool is_optional = false;  // then `changes` and `if_given` are empty
  // Parameters of the needed job that differ from the asking one's: {"method": "fp32", "seed": 0}.
  // A string "$key" stands for the asking job's value of that key: {"method": "$replay.method"}; of
  // one that it does not have, nothing is changed.
  Json changes;
  std::string artifact;  // which of its files is handed over: "model", "allocation"
  std::string if_given;  // only jobs with this parameter need it; empty: all

  // The key after "$"; nullopt if `value` is not such a string.
  static std::optional<std::string> referenced_key(const Json& value);
};

// What one registered part (or a named group of parameters) declares; read from its manifest.yaml.
struct Manifest {
  std::string kind;  // "method", "model", "data", "sensitivity", "solver", "group"
  std::string name;
  int version = 1;  // raised when results or defaults change
  std::string summary;
  std::string citation;
  std::vector<ParameterSpec> parameters;
  // Groups whose parameters apply too: prefix -> group ("training" -> "optimization"; "" ->
  // "budget").
  std::vector<std::pair<std::string, std::string>> includes;
  std::map<std::string, Need> needs;  // methods, and groups for those that include them
  bool guarantees_budget = true;      // methods
  // Groups that were added to parts which others use: no version of it is part of a job's identity
  // but with those of its parameters that are not neutral. Each has a neutral default, or none.
  bool is_optional = false;
  // Data sets: files under data.root whose names and sizes (`layout`: those of list_imagenet(), if it
  // is "imagenet") or contents (`contents`) identify the data. A content's sha256 may be given;
  // empty: any. Models: the file of published weights under weights.root (published_weights() says
  // under which other names).
  std::string layout;
  std::map<std::string, std::string> contents;
  // Every way to get them: "apt-get install dataset-fashion-mnist, or set data.root=...".
  std::string obtain;
  // Models: numbers in all their weights, and multiplications for one image of the size that they
  // are made for; 0: not said.
  int64_t weights = 0;
  int64_t macs = 0;
  // Models: those of the layers between the first and the last, without biases; 0: not said.
  int64_t inner_weights = 0;
  int64_t inner_macs = 0;
  // Models: height and width, in pixels, of the images that they are made for. Data sets: of their
  // images, if no parameter says it (data.image_size). 0: not said.
  int64_t image_size = 0;
  // Data sets: channels of their images, if no parameter says it (data.image_channels). 0: not said.
  int64_t image_channels = 0;
  // Models: the layer that gives the logits ("fc"), for those with published weights.
  std::string head;
  // Data sets: images of an epoch, of the data as published; 0: not said.
  int64_t train_images = 0;
  // Data sets whose number of classes is no parameter (data.classes); 0: not said.
  int64_t classes = 0;
  // Further whole numbers, for the one place that asks for each: see job_size.h ("h100_...") and
  // app/parts.cpp (the images and classes that a model is counted for).
  std::map<std::string, int64_t> facts;
  std::string source;   // file it was read from
  std::string library;  // the plugin that has the code, absolute; empty: built in
};

// Reads one manifest. Throws InputError with the place of whatever is wrong in it.
Manifest read_manifest(const std::string& source, const std::string& text);

}  // namespace qbitopt
