#include "qbitopt/allocation/highs.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

// The part of highs_c_api.h that is used here; its integers are int (checked when it is loaded).
struct Library {
  void* (*create)();
  void (*destroy)(void*);
  int (*size_of_int)(const void*);
  int (*set_bool)(void*, const char*, int);
  int (*set_int)(void*, const char*, int);
  int (*set_double)(void*, const char*, double);
  int (*pass_mip)(void*, int columns, int rows, int entries, int format, int sense, double offset,
                  const double* cost, const double* lower, const double* upper,
                  const double* row_lower, const double* row_upper, const int* start,
                  const int* index, const double* value, const int* integrality);
  int (*set_solution)(void*, const double*, const double*, const double*, const double*);
  int (*run)(void*);
  int (*model_status)(const void*);
  int (*get_solution)(const void*, double*, double*, double*, double*);
  int (*get_int_info)(const void*, const char*, int*);
  int (*get_double_info)(const void*, const char*, double*);
};

constexpr int kStatusError = -1;
constexpr int kRowWise = 2;
constexpr int kMinimize = 1;
constexpr int kModelOptimal = 7;
constexpr int kPointFeasible = 2;
const char* const kInPackage = "highsbox/highs_dist/lib/libhighs.so";

// site-packages of a virtual environment, whatever its Python.
void add_environment(const fs::path& environment, std::vector<std::string>& places) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(environment / "lib", ignored)) {
    if (entry.path().filename().string().rfind("python3", 0) == 0) {
      places.push_back((entry.path() / "site-packages" / kInPackage).string());
    }
  }
}

std::vector<std::string> places_to_look() {
  if (const char* chosen = std::getenv("QBITOPT_HIGHS")) return {chosen};
  std::vector<std::string> places;
  Dl_info here;
  if (dladdr(reinterpret_cast<void*>(&places_to_look), &here) != 0) {
    fs::path folder = fs::absolute(here.dli_fname).parent_path();
    for (; folder.has_relative_path(); folder = folder.parent_path()) {
      add_environment(folder / ".venv", places);
    }
  }
  if (const char* active = std::getenv("VIRTUAL_ENV")) add_environment(active, places);
  places.insert(places.end(), {"libhighs.so", "libhighs.so.1"});
  return places;
}

template <typename Function>
void find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  if (function == nullptr)
    throw InputError(std::string("HiGHS has no function ") + name +
                     "; expected version 1.7 or later");
}

Library load() {
  std::string looked;
  void* handle = nullptr;
  for (const std::string& place : places_to_look()) {
    handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) break;
    looked += "\n  " + place;
  }
  if (handle == nullptr) {
    throw InputError(
        "solver 'milp' needs HiGHS, but its library is in none of these places:" + looked +
        "\nget it by `.venv/bin/pip install highsbox` (or `make setup`), or name it: "
        "QBITOPT_HIGHS=/path/to/libhighs.so");
  }
  Library library{};
  find(handle, "Highs_create", library.create);
  find(handle, "Highs_destroy", library.destroy);
  find(handle, "Highs_getSizeofHighsInt", library.size_of_int);
  find(handle, "Highs_setBoolOptionValue", library.set_bool);
  find(handle, "Highs_setIntOptionValue", library.set_int);
  find(handle, "Highs_setDoubleOptionValue", library.set_double);
  find(handle, "Highs_passMip", library.pass_mip);
  find(handle, "Highs_setSolution", library.set_solution);
  find(handle, "Highs_run", library.run);
  find(handle, "Highs_getModelStatus", library.model_status);
  find(handle, "Highs_getSolution", library.get_solution);
  find(handle, "Highs_getIntInfoValue", library.get_int_info);
  find(handle, "Highs_getDoubleInfoValue", library.get_double_info);
  const std::unique_ptr<void, void (*)(void*)> probe(library.create(), library.destroy);
  if (library.size_of_int(probe.get()) != sizeof(int)) {
    throw InputError(
        "HiGHS was built with 64-bit integers; expected 32-bit ones, as in the highsbox package");
  }
  return library;
}

const Library& library() {
  static const Library library = load();
  return library;
}

void check(int status, const char* what) {
  if (status == kStatusError) throw std::runtime_error(std::string("HiGHS failed to ") + what);
}

}  // namespace

int LinearProgram::add_column(double column_cost, double column_upper, bool integer) {
  cost.push_back(column_cost);
  lower.push_back(0);
  upper.push_back(column_upper);
  is_integer.push_back(integer);
  return static_cast<int>(cost.size()) - 1;
}

void LinearProgram::end_row(double from, double to) {
  row_lower.push_back(from);
  row_upper.push_back(to);
  row_start.push_back(static_cast<int>(column.size()));
}

Highs::Answer Highs::solve(const LinearProgram& program, const Options& options) {
  const Library& api = library();
  const int columns = static_cast<int>(program.cost.size());
  const int rows = static_cast<int>(program.row_lower.size());
  const std::vector<int> integrality(program.is_integer.begin(), program.is_integer.end());
  const std::unique_ptr<void, void (*)(void*)> highs(api.create(), api.destroy);
  api.set_bool(highs.get(), "output_flag", 0);
  api.set_int(highs.get(), "threads", 1);
  api.set_double(highs.get(), "time_limit", options.time_limit_seconds);
  api.set_double(highs.get(), "mip_rel_gap", 0);
  api.set_double(highs.get(), "mip_abs_gap", options.tolerance);
  for (const char* name : {"mip_feasibility_tolerance", "primal_feasibility_tolerance",
                           "dual_feasibility_tolerance"}) {
    api.set_double(highs.get(), name, options.tolerance);
  }
  check(api.pass_mip(highs.get(), columns, rows, static_cast<int>(program.value.size()), kRowWise,
                     kMinimize, 0, program.cost.data(), program.lower.data(), program.upper.data(),
                     program.row_lower.data(), program.row_upper.data(), program.row_start.data(),
                     program.column.data(), program.value.data(), integrality.data()),
        "take the program");
  if (!options.start.empty()) {
    api.set_solution(highs.get(), options.start.data(), nullptr, nullptr, nullptr);
  }
  check(api.run(highs.get()), "run");

  Answer answer;
  answer.is_proven = api.model_status(highs.get()) == kModelOptimal;
  api.get_double_info(highs.get(), "mip_dual_bound", &answer.bound);
  int point = 0;
  api.get_int_info(highs.get(), "primal_solution_status", &point);
  if (point == kPointFeasible) {
    answer.x.resize(columns);
    std::vector<double> row_values(rows);
    check(api.get_solution(highs.get(), answer.x.data(), nullptr, row_values.data(), nullptr),
          "return a point");
  }
  return answer;
}

std::string Highs::why_missing() {
  try {
    library();
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

}  // namespace qbitopt
