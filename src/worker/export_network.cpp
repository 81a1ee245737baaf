#include "worker/export_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/output_file.h"
#include "qbitopt/data/batch_source.h"
#include "qbitopt/exporting/encodings.h"
#include "qbitopt/exporting/integer_file.h"
#include "qbitopt/exporting/integer_grid.h"
#include "qbitopt/exporting/safetensors_file.h"
#include "qbitopt/exporting/to_onnx.h"
#include "qbitopt/files/imagenet_classes.h"
#include "qbitopt/job/job.h"
#include "qbitopt/models/graph_network.h"
#include "qbitopt/models/weight_bytes.h"
#include "qbitopt/onnx/model_file.h"
#include "worker/arguments.h"
#include "worker/commit.h"
#include "worker/trained_network.h"

namespace qbitopt::worker {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kExamples = 32;

// What is exported, and what is known of it.
struct Subject {
  std::unique_ptr<Network> network;
  GraphNetwork* graph = nullptr;  // the same
  std::vector<int64_t> image_shape;
  std::optional<Job> job;  // that trained it
};

Subject read_subject(const Arguments& arguments) {
  Subject subject;
  subject.job = job_of(arguments);
  const std::string graph_file = graph_file_of(arguments, subject.job);
  if (subject.job) {
    subject.network = read_trained_network(*subject.job, graph_file, arguments.words.at(0));
  } else {
    NetworkOptions options;
    options.classes = read_graph(graph_file).classes();
    subject.network = read_graph_network(graph_file, options);
  }
  subject.graph = dynamic_cast<GraphNetwork*>(subject.network.get());
  if (!subject.graph) {
    throw InputError(fmt::format("'{}' cannot be exported: it is no graph",
                                 subject.job->parameters["model"].get<std::string>()));
  }
  if (subject.job) {
    subject.image_shape = image_format_of(*subject.job).shape;
  } else {
    subject.image_shape = subject.graph->graph().image_shape();
    for (const int64_t size : subject.image_shape) {
      if (size < 0) {
        throw InputError(fmt::format(
            "{} takes images of any size, and a deployed network has one; export it again with "
            "--input 3x224x224, say",
            graph_file));
      }
    }
  }
  subject.network->measure(subject.image_shape);
  subject.network->eval();
  return subject;
}

// What a program that runs the network must know, as texts and JSON.
std::map<std::string, std::string> metadata_of(const Subject& subject) {
  Json bits = Json::object();
  for (const QuantizerSite* site : subject.network->sites()) {
    if (site->quantizer()) bits[site->spec().name] = site->quantizer()->bits();
  }
  std::map<std::string, std::string> metadata = {{"bits", bits.dump()}};
  if (!subject.job) return metadata;
  const Parameters parameters(subject.job->parameters);
  const auto data = parameters.get<std::string>("data.name");
  const ImageFormat format = image_format_of(*subject.job);
  metadata["job"] = subject.job->key;
  metadata["model"] = parameters.get<std::string>("model");
  metadata["method"] = parameters.get<std::string>("method");
  metadata["data"] = data;
  metadata["budget"] = parameters.below("budget").values().dump();
  metadata["input_mean"] = Json(format.mean).dump();
  metadata["input_std"] = Json(format.deviation).dump();
  const auto& known = imagenet_classes();
  const auto classes = static_cast<size_t>(subject.network->options().classes);
  if (data == "imagenet" && classes == known.size()) {
    Json names = Json::array();
    for (const ImageNetClass& one : known) names.push_back(one.name);
    metadata["class_names"] = names.dump();
  }
  return metadata;
}

void write_file(const fs::path& file, const std::string& bytes) {
  if (file.has_parent_path()) fs::create_directories(file.parent_path());
  OutputFile output(file);
  output.write(bytes);
  output.commit();
}

// Images and what the network answers, for a look at how another program does: test images of the
// job's data, or noise. With `codes` also "codes.<name>", what each quantizer of an activation
// makes of them, so that a difference can be followed to where it begins.
std::string examples_of(const Subject& subject, bool codes) {
  const torch::NoGradGuard no_grad;
  torch::Tensor images;
  if (subject.job) {
    const Parameters parameters(subject.job->parameters);
    DataSetRegistry registry("data set");
    register_data_sets(registry);
    const auto data =
        registry.make(parameters.get<std::string>("data.name"), parameters.below("data"));
    Batch batch;
    data->once(Split::kTest, kExamples, kExamples)->next(batch);
    images = batch.images.contiguous();
  } else {
    torch::manual_seed(0);
    std::vector<int64_t> shape = {kExamples};
    shape.insert(shape.end(), subject.image_shape.begin(), subject.image_shape.end());
    images = torch::randn(shape);
  }
  StateDict tensors = {{"images", images}};
  const auto look = [&](const GraphNode& node, const std::vector<c10::IValue>& values) {
    if (!codes || node.target != kQuantize) return;
    const auto number = static_cast<size_t>(std::get<int64_t>(*node.find("site")));
    const QuantizerSite& site = *subject.network->sites().at(number);
    if (site.spec().kind == TensorKind::kWeight || !site.quantizer()) return;
    tensors["codes." + site.spec().name] =
        codes_in(integer_grid(site), values[node.outputs.front()].toTensor());
  };
  tensors["logits"] = subject.graph->forward(images, look);
  return to_safetensors(tensors, {});
}

OnnxOptions onnx_options(const Arguments& arguments, const std::string& format) {
  OnnxOptions options;
  options.opset = arguments.number_or("opset", options.opset, OnnxOptions::kLowestOpset,
                                      OnnxOptions::kHighestOpset);
  options.folds_batch_norms = !arguments.has("no-fold");
  if (format == "qonnx") options.quantizers = OnnxOptions::Quantizers::kQuantNodes;
  if (format == "aimet") options.quantizers = OnnxOptions::Quantizers::kNone;
  return options;
}

EncodingsVersion encodings_version(const Arguments& arguments) {
  const std::string version = arguments.get_or("encodings", "1.0.0");
  if (version == "0.6.1") return EncodingsVersion::k0_6_1;
  if (version == "1.0.0") return EncodingsVersion::k1_0_0;
  throw InputError(unknown_name("version of encodings", version, {"0.6.1", "1.0.0"}));
}

}  // namespace

int export_network(const std::vector<std::string>& words) {
  const Arguments arguments = Arguments::parse(
      words, {"job", "model", "output", "format", "opset", "encodings", "examples"},
      {"no-fold", "codes"});
  if (arguments.has("codes") && !arguments.has("examples"))
    throw InputError("--codes adds to the file of --examples, which is missing");
  const std::string format = arguments.get_or("format", "onnx");
  const std::vector<std::string> formats = {"onnx", "qonnx", "safetensors", "aimet"};
  if (std::find(formats.begin(), formats.end(), format) == formats.end())
    throw InputError(unknown_name("format", format, formats));
  const EncodingsVersion version = encodings_version(arguments);
  const fs::path output = arguments.required("output");
  const OnnxOptions options = onnx_options(arguments, format);

  const Subject subject = read_subject(arguments);
  std::map<std::string, std::string> metadata = metadata_of(subject);
  std::map<fs::path, std::string> files;
  if (format == "safetensors") {
    files[output] = integer_file(*subject.graph, metadata);
  } else {
    OnnxExport made = to_onnx(*subject.graph, subject.image_shape, options);
    metadata["weight_bytes"] = std::to_string(weight_bytes(*subject.network));
    made.model.producer_version = kCommit;
    made.model.metadata = std::move(metadata);
    files[output] = onnx::to_file(made.model);
    if (format == "aimet") {
      files[fs::path(output).replace_extension(".encodings")] =
          encodings_file(made.encodings, version);
    }
  }
  if (arguments.has("examples"))
    files[arguments.required("examples")] = examples_of(subject, arguments.has("codes"));
  for (const auto& [file, bytes] : files) {
    write_file(file, bytes);
    std::cout << fmt::format("wrote {} ({} bytes)\n", file.string(), bytes.size());
  }
  return 0;
}

}  // namespace qbitopt::worker
