#include "qbitopt/report/figures/gnuplot.h"

#include <unistd.h>

#include <boost/process/child.hpp>
#include <boost/process/io.hpp>
#include <boost/process/search_path.hpp>
#include <cerrno>
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
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

// The bytes of a file; empty if gnuplot has not written it.
std::string content_of(const fs::path& file) { return fs::exists(file) ? read_bytes(file) : ""; }

}  // namespace

bool has_gnuplot() { return !process::search_path("gnuplot").empty(); }

std::string gnuplot_output(const std::string& script) {
  const auto program = process::search_path("gnuplot");
  if (program.empty()) {
    throw InputError(
        "gnuplot, which draws the figures, is not in the PATH; install it:"
        "\n  apt:    sudo apt-get install gnuplot-nox"
        "\n  dnf:    sudo dnf install gnuplot"
        "\n  conda:  conda install -c conda-forge gnuplot");
  }
  const ScratchFolder scratch;
  const fs::path drawn = scratch / "figure";
  std::ofstream(scratch / "script.gp", std::ios::binary) << script;
  // The user's ~/.gnuplot must not change a figure (-d); the names are without quotes to escape.
  process::child gnuplot(program, "-d", "-e", "set output '" + drawn.string() + "'",
                         (scratch / "script.gp").string(),
                         process::std_in<process::null, process::std_out> process::null,
                         process::std_err > (scratch / "errors.txt").string());
  gnuplot.wait();
  std::string bytes = content_of(drawn);
  if (gnuplot.exit_code() != 0 || bytes.empty()) {
    throw InputError("gnuplot failed (it must be version 5 or newer):\n" +
                     content_of(scratch / "errors.txt"));
  }
  return bytes;
}

}  // namespace qbitopt
