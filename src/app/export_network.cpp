// qbitopt export-network: a trained network for other programs. This program finds the job; the
// worker, which has tensors, writes the file.
#include <fmt/format.h>

#include <filesystem>

#include "app/exit_codes.h"
#include "app/places.h"
#include "app/text.h"
#include "app/trained_model.h"
#include "app/verbs.h"
#include "app/worker_verb.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace qbitopt::app {
namespace {

// What the worker is told of the network, before its options: a job that left this file, or a .pt2
// file as it is.
std::vector<std::string> words_of(const fs::path& file) {
  if (names_graph_file(file.string())) return {"--model", file.string()};
  const auto job = job_beside(file);
  if (!job) {
    throw InputError(fmt::format(
        "{}: no job.json beside it says which network it is; name the job by its key, or a .pt2 "
        "file",
        shown(file)));
  }
  return {file.string(), "--job", *job};
}

std::vector<std::string> words_of(const TrainedModel& model) {
  return {model.file, "--job", model.job};
}

}  // namespace

int export_network(const Invocation& invocation) {
  CommandLine line(
      "export-network JOB|FILE --output FILE [options]",
      "Writes a trained network with its quantizers for other programs. JOB: the first digits of "
      "a\n"
      "finished job's key; FILE: a job's model.pth in its folder, or a .pt2 file as it is.\n"
      "  onnx         integer weights, QuantizeLinear, Clip and DequantizeLinear; runs everywhere\n"
      "  qonnx        the same with Quant nodes, for FINN and hls4ml\n"
      "  safetensors  integer codes, scales, offsets and bits\n"
      "  aimet        the network in float32 (FILE.onnx) and its encodings (FILE.encodings)");
  line.options()("output,o", po::value<FileName>()->value_name("FILE"), "file to write")(
      "format", po::value<std::string>()->default_value("onnx")->value_name("FORMAT"),
      "format: onnx, qonnx, safetensors or aimet")(
      "opset", po::value<std::string>()->default_value("17")->value_name("N"),
      "version of ONNX's operators, 17 to 21; 21 stores weights of at most 4 bits as INT4")(
      "no-fold", po::bool_switch(), "leave batch norms as they are, not folded into the layers")(
      "encodings", po::value<std::string>()->default_value("1.0.0")->value_name("VERSION"),
      "version of AIMET's encodings, 0.6.1 or 1.0.0")(
      "examples", po::value<FileName>()->value_name("FILE"),
      "also write 32 images and the logits for them (safetensors)")(
      "codes", po::bool_switch(), "in that file also what each activation is quantized to")(
      "model", po::value<FileName>()->value_name("FILE"),
      "the job's .pt2 file, if it is no longer where it was");
  line.add_database();
  line.add_positional("what", 1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("what")) throw UsageError("export which network? Give the key of a job, or a file");
  if (!line.has("output")) throw UsageError("export where to? Give --output");
  const fs::path output = line.get<FileName>("output").path;
  check_output(output);
  const std::string what = line.words("what").front();
  std::vector<std::string> words = fs::is_regular_file(what)
                                       ? words_of(fs::path(what))
                                       : words_of(model_of_job(line.database(), what));
  words.insert(words.begin(), "export-network");
  for (const char* name : {"format", "opset", "encodings"})
    words.insert(words.end(), {std::string("--") + name, line.get<std::string>(name)});
  words.insert(words.end(), {"--output", output.string()});
  for (const char* name : {"examples", "model"}) {
    if (line.has(name))
      words.insert(words.end(), {std::string("--") + name, line.get<FileName>(name).path.string()});
  }
  for (const char* name : {"no-fold", "codes"}) {
    if (line.is_on(name)) words.push_back(std::string("--") + name);
  }
  become_worker(std::move(words));
}

}  // namespace qbitopt::app
