#include "qbitopt/report/figures/vl_convert.h"

#include <unistd.h>

#include <boost/process/child.hpp>
#include <boost/process/io.hpp>
#include <boost/process/search_path.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "qbitopt/core/error.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
namespace process = boost::process;

// A temporary folder that the destructor deletes.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "qbitopt_plot_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(),
                              "cannot make a folder in " + fs::temp_directory_path().string());
    }
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }
  std::string name() const { return path_.string(); }

 private:
  fs::path path_;
};

// The bytes of a file; empty if it has not been written.
std::string content_of(const fs::path& file) { return fs::exists(file) ? read_bytes(file) : ""; }

template <typename... Rest>
int status_of(const std::string& python, Rest&&... rest) {
  std::error_code failed;
  process::child child(python, std::forward<Rest>(rest)...,
                       process::std_in<process::null, process::std_out> process::null, failed);
  if (failed) return -1;
  child.wait(failed);
  return failed ? -1 : child.exit_code();
}

// The first Python that has vl-convert; empty: none.
std::string python_with_vl_convert() {
  std::vector<std::string> places = {QBITOPT_VENV "/bin/python3",
                                     process::search_path("python3").string()};
  if (const char* chosen = std::getenv("QBITOPT_PYTHON")) places = {chosen};
  std::error_code ignored;  // a folder that may not be entered has none
  for (const std::string& python : places) {
    if (!python.empty() && fs::exists(python, ignored) &&
        status_of(python, "-c",
                  "import importlib.util as u; raise SystemExit(u.find_spec('vl_convert') is None)",
                  process::std_err > process::null) == 0)
      return python;
  }
  return "";
}

}  // namespace

bool has_vl_convert() { return !python_with_vl_convert().empty(); }

std::string how_to_get_vl_convert() {
  return "pip install vl-convert-python; QBITOPT_PYTHON=PYTHON names a Python that has it";
}

std::vector<Drawing> draw_specs(const std::vector<std::string>& specs, const std::string& format) {
  const std::string python = python_with_vl_convert();
  if (python.empty()) {
    throw InputError("no Python with vl-convert, which draws the figures, was found; install it (" +
                     how_to_get_vl_convert() + ")");
  }
  const ScratchFolder scratch;
  for (size_t i = 0; i < specs.size(); ++i)
    std::ofstream(scratch / (std::to_string(i) + ".json"), std::ios::binary) << specs[i];
  std::ofstream(scratch / "draw.py", std::ios::binary) << drawing_script().front().text;
  const int status = status_of(python, (scratch / "draw.py").string(), scratch.name(), format,
                               process::std_err > (scratch / "errors.txt").string());
  std::vector<Drawing> drawings;
  for (size_t i = 0; i < specs.size(); ++i) {
    drawings.push_back({content_of(scratch / (std::to_string(i) + ".out")),
                        content_of(scratch / (std::to_string(i) + ".error"))});
    if (drawings.back().bytes.empty() && drawings.back().error.empty())
      drawings.back().error = python + " ended with status " + std::to_string(status) + ":\n" +
                              content_of(scratch / "errors.txt").substr(0, 1000);
  }
  return drawings;
}

}  // namespace qbitopt
