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
  // "decimal" | "choice" | "list of <one of these>", or a kind of part ("method", "model", "data",
  // "sensitivity", "solver"): then the manifest of the chosen part applies as well.
  std::string type;
  std::string unit;         // empty: none
  std::string description;  // one line
  Json default_value;       // null: absent unless given
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::vector<std::string> choices;  // of a "choice"
  bool required = false;
  // False: the value is not part of a job's identity (a path, a number of loader threads).
  bool affects_result = true;
  // A job whose value equals this hashes as if the parameter did not exist; for parameters added
  // later.
  Json neutral;
  // The version of the optional group that declares the parameter, else 0. A higher version changes
  // the keys of only those jobs whose identity contains the parameter.
  int version = 0;
};

// A job that must be finished before one of this method starts.
struct Need {
  // True: only jobs of a sweep that names the needed job below `needs:` have this need.
  bool is_optional = false;  // then `changes` and `if_given` are empty
  // Parameters in which the needed job differs from the job that needs it: {"method": "fp32",
  // "seed": 0}. A string "$key" stands for the value of that key in the job that needs it:
  // {"method": "$replay.method"}; if that job has no such key, the parameter stays as it is.
  Json changes;
  std::string artifact;  // the output that it hands over: "model", "allocation"
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
  // Groups that were added to parts already in use. The version is part of a job's identity only
  // together with parameters that are not neutral, so that older jobs keep their keys. Each
  // parameter has a neutral default, or none.
  bool is_optional = false;
  // Data sets: files under data.root whose names and sizes (`layout`: those of list_imagenet(), if it
  // is "imagenet") or contents (`contents`) identify the data. If the layout is "tensors", data.root
  // is itself the file, and its content counts. A content's sha256 may be given;
  // empty: any. Models: the file of published weights under weights.root (published_weights() says
  // under which other names).
  std::string layout;
  std::map<std::string, std::string> contents;
  // Models: where the publisher offers that file, its name in a folder of weights, and its sha256 as
  // far as it is known (the publisher may give only the first digits). Empty address: not offered.
  struct Offer {
    std::string address;
    std::string file;
    std::string sha256;
  };
  Offer download;
  // Every way to get them: "apt-get install dataset-fashion-mnist, or set data.root=...".
  std::string obtain;
  // Models: number of weights, and of multiply-accumulates for one image of `image_size`; 0: not
  // given.
  int64_t weights = 0;
  int64_t macs = 0;
  // Models: the same for the layers between the first and the last, without biases; 0: not given.
  int64_t inner_weights = 0;
  int64_t inner_macs = 0;
  // Models: height and width, in pixels, of the images that they are made for. Data sets: height
  // and width of their images, unless a parameter (data.image_size) gives them. 0: not given.
  int64_t image_size = 0;
  // Data sets: channels of their images, unless a parameter (data.image_channels) gives them. 0:
  // not given.
  int64_t image_channels = 0;
  // Models with published weights: the layer that computes the logits ("fc").
  std::string head;
  // Data sets: number of images in an epoch of the published data; 0: not given.
  int64_t train_images = 0;
  // Data sets: number of classes, unless a parameter (data.classes) gives it; 0: not given.
  int64_t classes = 0;
  // Further whole numbers, each of which is used in one place: see job_size.h ("h100_...") and
  // app/parts.cpp (the images and classes that a model is counted for).
  std::map<std::string, int64_t> facts;
  std::string source;   // file it was read from
  std::string library;  // the plugin that has the code, absolute; empty: built in
};

// Reads one manifest. Throws InputError with the place of whatever is wrong in it.
Manifest read_manifest(const std::string& source, const std::string& text);

}  // namespace qbitopt
