// qbitopt predict: classifies images with a network. This program finds the job that trained it;
// the worker, which has tensors, does the rest.
#include <fmt/format.h>

#include "app/exit_codes.h"
#include "app/text.h"
#include "app/trained_model.h"
#include "app/verbs.h"
#include "app/worker_verb.h"

namespace po = boost::program_options;

namespace qbitopt::app {

int predict(const Invocation& invocation) {
  CommandLine line(
      "predict [--job JOB | --model M] [options] IMAGE...",
      "Prints the five most likely classes of each image (JPEG or PNG). Images are rotated by "
      "their\n"
      "EXIF orientation here; training and evaluation use them as they are stored.\n\n"
      "A network that a job trained is run as the job had it: with its quantizers, and on images "
      "of\n"
      "the job's size, normalized by its mean and deviation. The job is that of --job, or the one\n"
      "that left the file of --weights in its folder. Others are run on images of 224x224, or of "
      "a\n"
      ".pt2 file's size.\n\n"
      "Exit status: 0 if all images are classified; 3 if some cannot be read (listed on stderr); 2 "
      "if\nnone can, or for invalid arguments or weights.");
  line.options()("job", po::value<std::string>()->value_name("JOB"),
                 "the first digits of a finished job's key")(
      "model", po::value<FileName>()->value_name("MODEL|FILE"),
      "network (see `qbitopt models`), or a .pt2 file with its weights; with a job, the job's .pt2 "
      "file if it is no longer where it was")(
      "weights", po::value<FileName>()->value_name("FILE"),
      "safetensors, PyTorch .pth, or a job's model.pth; default: the job's, else the .pt2 file's, "
      "else random ones")(
      "allocation", po::value<FileName>()->value_name("FILE"),
      "bit-widths of the quantizers, {\"name\": bits}, 8 for the others; ranges from the first 64 "
      "images")("mean", po::value<std::string>()->value_name("R,G,B"),
                "mean of the pixels, from 0 to 1, without a job; default: ImageNet's")(
      "deviation", po::value<std::string>()->value_name("R,G,B"), "their standard deviation")(
      "products", po::bool_switch(),
      "with --allocation and without a job: quantizers.products, both operands of attention's "
      "products")("logits", po::bool_switch(), "also print all logits");
  line.add_json();
  line.add_database();
  line.add_positional("image", -1);
  if (!line.parse(invocation)) return kGood;
  std::vector<std::string> words = {"predict"};
  const auto add = [&](const std::string& name, const std::string& value) {
    words.insert(words.end(), {"--" + name, value});
  };
  if (line.has("job")) {
    if (line.has("weights")) throw UsageError("--job brings its own weights; leave --weights out");
    const TrainedModel model = model_of_job(line.database(), line.get<std::string>("job"));
    add("job", model.job);
    add("weights", model.file);
  } else if (line.has("weights")) {
    const auto file = line.get<FileName>("weights").path;
    if (const auto job = job_beside(file)) add("job", *job);
    add("weights", file.string());
  }
  for (const char* name : {"model", "allocation"}) {
    if (line.has(name)) add(name, line.get<FileName>(name).path.string());
  }
  for (const char* name : {"mean", "deviation"}) {
    if (line.has(name)) add(name, line.get<std::string>(name));
  }
  for (const char* name : {"products", "logits", "json"}) {
    if (line.is_on(name)) words.push_back(std::string("--") + name);
  }
  words.emplace_back("--");
  for (const std::string& image : line.words("image")) words.push_back(image);
  become_worker(std::move(words));
}

}  // namespace qbitopt::app
