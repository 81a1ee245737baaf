// qbitopt predict: what a network sees in photographs. The worker does it, as this program has no
// tensors.
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
        "The five likeliest classes of each photograph (JPEG or PNG), turned upright as its EXIF\n"
        "orientation says. Training and evaluation take photographs as they are stored.\n\n"
        "  --model M             a name of `qbitopt models`\n"
        "  --weights FILE        safetensors, a .pth of PyTorch, or a job's model.pth with its "
        "quantisers; without it the weights are random\n"
        "  --allocation FILE     bits for quantisers, {\"name\": bits}; others at 8; ranges from "
        "the first 64 images\n"
        "  --logits              all logits as well\n"
        "  --json                data as JSON instead of text\n\n"
        "Exit status: 0 if every photograph is answered; 3 if some cannot be read (stderr names "
        "them, the\n"
        "others are answered); 2 if none can, or for wrong arguments or weights.\n");
    return words.empty() ? kUsage : kGood;
  }
  std::vector<std::string> arguments = {"predict"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  become_worker(std::move(arguments));
}

}  // namespace qbitopt::app
