#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "end_to_end/sandbox.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt::testing {

// A sandbox with the real worker and PyTorch modules in files of the test's own.
class ExportedModule : public Sandbox {
 protected:
  ExportedModule() { environment_["QBITOPT_WORKER"] = QBITOPT_WORKER; }

  void SetUp() override {
    if (!std::filesystem::exists(python())) GTEST_SKIP() << python() << " with PyTorch is missing";
  }

  static std::string python() { return QBITOPT_SOURCE "/.venv/bin/python"; }

  // What tools/export_network.py says if it fails on `module` ("my_net.py:Net"); empty if it does
  // not.
  std::string export_module(const std::string& module, const std::string& options) const {
    const std::string command = "cd " + folder_.string() + " && " + python() +
                                " -W ignore " QBITOPT_SOURCE "/tools/export_network.py " + module +
                                " " + options + " >out.txt 2>err.txt";
    return std::system(command.c_str()) == 0 ? "" : read("err.txt");
  }

  Rows query(const std::string& sql) const {
    return Reader(folder_ / "results/qbitopt.db").query(sql);
  }
};

}  // namespace qbitopt::testing
