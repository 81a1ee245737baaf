// qbitopt export-network: a trained network for other programs. This program finds the job; the
// worker, which has tensors, writes the file.
#include <fmt/format.h>

#include <filesystem>

#include "app/exit_codes.h"
#include "app/places.h"
#include "app/text.h"
#include "app/verbs.h"
#include "app/worker_verb.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/json.h"
#include "qbitopt/core/names.h"
#include "qbitopt/runlog/queries.h"

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace qbitopt::app {
namespace {

// What the worker is told of the network, before its options.
using Words = std::vector<std::string>;

Words of_job(const fs::path& database, const std::string& prefix) {
  const Reader reader(database);
  const std::string key = find_key(reader, prefix);
  const std::string job = short_key(key);
  const auto model = finished_artifact(reader, key, "model");
  if (!model) {
    throw InputError(
        fmt::format("job {} is not finished; `qbitopt show {}` says how far it is", job, job));
  }
  if (!fs::exists(model->path)) {
    throw InputError(
        fmt::format("{}: gone, but job {} left it; put it back, or `qbitopt retry {}` "
                    "makes it anew",
                    model->path, job, job));
  }
  if (const std::string found = sha256_of_file(model->path); found != model->sha256) {
    throw InputError(
        fmt::format("{}: not what job {} left: its sha256 is {}..., expected {}...; `qbitopt retry "
                    "{}` makes it anew",
                    model->path, job, found.substr(0, 10), model->sha256.substr(0, 10), job));
  }
  return {model->path, "--job", Json(stored_job(reader, key)).dump()};
}

// A .pt2 file as it is, or what a job left in its folder.
Words of_file(const fs::path& file) {
  if (names_graph_file(file.string())) return {"--model", file.string()};
  const fs::path job = fs::absolute(file).parent_path() / "job.json";
  if (!fs::exists(job)) {
    throw InputError(fmt::format(
        "{}: no job.json beside it says which network it is; name the job by its key, or a .pt2 "
        "file",
        shown(file)));
  }
  return {file.string(), "--job", Json(read_json(job).get<Attempt>().job).dump()};
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
  Words words = fs::is_regular_file(what) ? of_file(what) : of_job(line.database(), what);
  words.insert(words.begin(), "export-network");
  for (const char* name : {"format", "opset", "encodings"})
    words.insert(words.end(), {std::string("--") + name, line.get<std::string>(name)});
  words.insert(words.end(), {"--output", output.string()});
  for (const char* name : {"examples", "model"}) {
    if (line.has(name))
      words.insert(words.end(), {std::string("--") + name, line.get<FileName>(name).path.string()});
  }
  if (line.is_on("no-fold")) words.emplace_back("--no-fold");
  become_worker(std::move(words));
}

}  // namespace qbitopt::app
