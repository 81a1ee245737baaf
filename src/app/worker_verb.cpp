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
  const auto& words = invocation.arguments;
  if (words.empty() || std::find(words.begin(), words.end(), "--help") != words.end()) {
    invocation.console.print(
        "usage: qbitopt predict --model M [--weights FILE] [options] IMAGE...\n"
        "Prints the five most likely classes of each image (JPEG or PNG). Images are rotated by "
        "their\nEXIF orientation here; training and evaluation use them as they are stored.\n\n"
        "  --model M             network (see `qbitopt models`), or a .pt2 file with its weights\n"
        "  --weights FILE        safetensors, PyTorch .pth, or a job's model.pth with its "
        "quantizers; default: random weights\n"
        "  --allocation FILE     bit-widths of the quantizers, {\"name\": bits}, 8 for the others; "
        "ranges from the first 64 images\n"
        "  --logits              also print all logits\n"
        "  --json                print JSON instead of text\n\n"
        "Exit status: 0 if all images are classified; 3 if some cannot be read (listed on stderr); "
        "2 if none can,\nor for invalid arguments or weights.\n");
    return words.empty() ? kUsage : kGood;
  }
  std::vector<std::string> arguments = {"predict"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  become_worker(std::move(arguments));
}

}  // namespace qbitopt::app
