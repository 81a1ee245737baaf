#include "worker/environment.h"

#include <dlfcn.h>
#include <sys/utsname.h>
#include <torch/version.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "qbitopt/core/hash.h"
#include "qbitopt/training/trainer.h"
#include "worker/commit.h"

namespace qbitopt::worker {
namespace {

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos)
      return line.substr(colon + 2);
  }
  return "unknown";
}

std::string operating_system() {
  utsname name{};
  if (::uname(&name) != 0) return "unknown";
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

// SHA-256 of the library that trains, from the file that was loaded.
std::string library_sha256() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&run_attempt), &info) == 0) return "unknown";
  return sha256_of_file(info.dli_fname);
}

}  // namespace

std::map<std::string, std::string> environment() {
  return {{"cpu", cpu_model()},        {"os", operating_system()},
          {"libtorch", TORCH_VERSION}, {"compiler", std::string("g++ ") + __VERSION__},
          {"commit", kCommit},         {"library_sha256", library_sha256()}};
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof(name) - 1) == 0 ? name : "unknown";
}

}  // namespace qbitopt::worker
