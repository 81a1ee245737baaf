#include "app/worker_verb.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "app/places.h"
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

}  // namespace qbitopt::app
