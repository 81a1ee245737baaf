// qbitopt predict: classifies images with a network. The worker does this, because this program has
// no tensors.
#include "app/worker_verb.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "app/exit_codes.h"
#include "app/places.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"

namespace qbitopt::app {

void become_worker(std::vector<std::string> arguments) {
  const std::string program = worker_program().string();
  std::vector<char*> argv;
  arguments.insert(arguments.begin(), program);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  throw InputError(program + " cannot be started (" + std::strerror(errno) +
                   "); build the target qbitopt_worker");
}

int predict(const Invocation& invocation) {
  namespace po = boost::program_options;
  const auto& words = invocation.arguments;
  const bool asks_for_help = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word == "--help" || word == "-h";
  });
  if (words.empty() || asks_for_help || invocation.description != nullptr) {
    CommandLine line(
        "predict --model M [--weights FILE] [options] IMAGE...",
        "Prints the five most likely classes of each image (JPEG or PNG). Images are rotated by\n"
        "their EXIF orientation here; training and evaluation use them as they are stored.\n"
        "Exit status: 0 if all images are classified; 3 if some cannot be read (listed on "
        "stderr);\n"
        "2 if none can, or for invalid arguments or weights.");
    line.options()("model", po::value<FileName>()->value_name("MODEL|FILE"),
                   "network (see `qbitopt models`), or a .pt2 file with its weights")(
        "weights", po::value<FileName>()->value_name("FILE"),
        "safetensors, PyTorch .pth, or a job's model.pth with its quantizers (default: random "
        "weights)")("allocation", po::value<FileName>()->value_name("FILE"),
                    "bit-widths of the quantizers, {\"name\": bits}, 8 for the others; ranges from "
                    "the first 64 images")("logits", po::bool_switch(), "also print all logits");
    line.add_json();
    line.parse({{"--help"}, invocation.argv, invocation.console, invocation.description});
    return words.empty() && invocation.description == nullptr ? kUsage : kGood;
  }
  std::vector<std::string> arguments = {"predict"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  // It prints data in plain text only, whatever these say.
  std::erase_if(arguments, [](const std::string& word) {
    return word == "--quiet" || word == "-q" || word == "--no-color";
  });
  become_worker(std::move(arguments));
}

}  // namespace qbitopt::app
