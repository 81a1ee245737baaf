#include "qbitopt/report/figures/vl_convert.h"

#include <unistd.h>

#include <boost/process/child.hpp>
#include <boost/process/io.hpp>
#include <boost/process/pipe.hpp>
#include <boost/process/search_path.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
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

// The first Python that has vl-convert; empty: none. Remembers one that it has found.
std::string python_with_vl_convert() {
  static std::mutex mutex;
  static std::set<std::string> found;
  const std::lock_guard lock(mutex);
  std::vector<std::string> places = {QBITOPT_VENV "/bin/python3",
                                     process::search_path("python3").string()};
  if (const char* chosen = std::getenv("QBITOPT_PYTHON")) places = {chosen};
  for (const std::string& python : places) {
    if (found.count(python) != 0) return python;
  }
  std::error_code ignored;  // a folder that may not be entered has none
  for (const std::string& python : places) {
    if (!python.empty() && fs::exists(python, ignored) &&
        status_of(python, "-c",
                  "import importlib.util as u; raise SystemExit(u.find_spec('vl_convert') is None)",
                  process::std_err > process::null) == 0)
      return *found.insert(python).first;
  }
  return "";
}

}  // namespace

bool has_vl_convert() { return !python_with_vl_convert().empty(); }

std::string how_to_get_vl_convert() {
  return "pip install vl-convert-python; QBITOPT_PYTHON=PYTHON names a Python that has it";
}

// draw.py at work in a folder of its own.
class Drawer::Python {
 public:
  Python(std::string python, const std::string& format) : python_(std::move(python)) {
    std::ofstream(scratch_ / "draw.py", std::ios::binary) << drawing_script().front().text;
    std::error_code failed;  // as if it had ended at once
    child_ = process::child(python_, (scratch_ / "draw.py").string(), scratch_.name(), format,
                            process::std_in<input_, process::std_out> process::null,
                            process::std_err > (scratch_ / "errors.txt").string(), failed);
  }

  ~Python() {
    std::error_code ignored;
    if (child_.running(ignored)) child_.terminate(ignored);
  }

  void add(const std::string& spec) {
    const std::string name = std::to_string(count_++) + ".json";
    std::ofstream(scratch_ / (name + ".part"), std::ios::binary) << spec;
    fs::rename(scratch_ / (name + ".part"), scratch_ / name);
  }

  std::vector<Drawing> finish() {
    if (count_ == 0) return {};
    input_.close();
    std::error_code failed;
    child_.wait(failed);
    const int status = failed ? -1 : child_.exit_code();
    std::vector<Drawing> drawings;
    for (size_t i = 0; i < count_; ++i) {
      drawings.push_back({content_of(scratch_ / (std::to_string(i) + ".out")),
                          content_of(scratch_ / (std::to_string(i) + ".error"))});
      if (drawings.back().bytes.empty() && drawings.back().error.empty())
        drawings.back().error = python_ + " ended with status " + std::to_string(status) + ":\n" +
                                content_of(scratch_ / "errors.txt").substr(0, 1000);
    }
    return drawings;
  }

 private:
  std::string python_;
  ScratchFolder scratch_;
  process::pipe input_;  // nothing is written; its end says that there are no more specifications
  process::child child_;
  size_t count_ = 0;
};

Drawer::Drawer(const std::string& format) {
  std::string python = python_with_vl_convert();
  if (python.empty()) {
    throw InputError("no Python with vl-convert, which draws the figures, was found; install it (" +
                     how_to_get_vl_convert() + ")");
  }
  python_ = std::make_unique<Python>(std::move(python), format);
}

Drawer::~Drawer() = default;

void Drawer::add(const std::string& spec) { python_->add(spec); }

std::vector<Drawing> Drawer::finish() { return python_->finish(); }

}  // namespace qbitopt
