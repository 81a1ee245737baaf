// Holds every #include of src/ to the picture in src/README.md.

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kSource = fs::path(QBITOPT_SOURCE_DIR) / "src";

struct Include {
  std::string place;   // "src/qbitopt/quant/site.h:5"
  std::string part;    // "quant"
  std::string header;  // "qbitopt/core/error.h", "torch/torch.h"
};

// Parts with the number of their line, counted from below: the indented block after the sentence
// about lower lines.
std::map<std::string, int> read_picture() {
  std::ifstream file(kSource / "README.md");
  std::vector<std::vector<std::string>> lines;
  bool is_announced = false;
  for (std::string line; std::getline(file, line);) {
    if (line.find("A part includes only parts on lower lines") != std::string::npos)
      is_announced = true;
    if (!is_announced || line.rfind("    ", 0) != 0) {
      if (!lines.empty()) break;
      continue;
    }
    std::istringstream words(line);
    lines.emplace_back(std::istream_iterator<std::string>(words),
                       std::istream_iterator<std::string>());
  }
  std::map<std::string, int> height;
  for (size_t i = 0; i < lines.size(); ++i) {
    for (const std::string& part : lines[i]) height[part] = static_cast<int>(lines.size() - i);
  }
  return height;
}

// src/qbitopt/<part>/..., src/app/..., src/worker/..., src/baselines/<name>/...
std::string part_of(const fs::path& file) {
  const fs::path relative = fs::relative(file, kSource);
  auto step = relative.begin();
  if (*step == "qbitopt") ++step;
  return step->string();
}

std::vector<Include> read_includes() {
  static const std::regex pattern(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::vector<Include> includes;
  for (const auto& entry : fs::recursive_directory_iterator(kSource)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cpp" && extension != ".inc") continue;
    std::ifstream file(entry.path());
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      std::smatch match;
      if (!std::regex_search(line, match, pattern)) continue;
      includes.push_back(
          {"src/" + fs::relative(entry.path(), kSource).string() + ":" + std::to_string(number),
           part_of(entry.path()), match[1]});
    }
  }
  return includes;
}

// "quant" of "qbitopt/quant/site.h"; empty for headers of others.
std::string part_of_header(const std::string& header) {
  const std::string prefix = "qbitopt/";
  if (header.rfind(prefix, 0) != 0) return "";
  return header.substr(prefix.size(), header.find('/', prefix.size()) - prefix.size());
}

const std::set<std::string> kPartsWithTensors = {"quant",     "sensitivity", "methods", "models",
                                                 "exporting", "data",        "plugin",  "training",
                                                 "worker",    "baselines"};

TEST(LayersTest, ThePictureNamesEveryFolder) {
  const auto height = read_picture();
  ASSERT_GT(height.size(), 10u) << "no picture in src/README.md";
  for (const fs::path& folder : {kSource, kSource / "qbitopt"}) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (!entry.is_directory() || name == "qbitopt" || name == "baselines") continue;
      EXPECT_EQ(height.count(name), 1u)
          << entry.path().string() << " is not in the picture of src/README.md";
    }
  }
}

TEST(LayersTest, APartIncludesOnlyPartsOnLowerLines) {
  const auto height = read_picture();
  const auto includes = read_includes();
  ASSERT_GT(includes.size(), 100u);
  for (const Include& include : includes) {
    const std::string part = part_of_header(include.header);
    if (part.empty() || part == include.part || include.part == "baselines") continue;
    ASSERT_EQ(height.count(part), 1u)
        << include.place << " includes " << include.header << ": no such part";
    EXPECT_LT(height.at(part), height.at(include.part))
        << include.place << ": " << include.part << " may not include " << include.header << "; "
        << part << " is not below it in src/README.md";
  }
}

// What an outsider has not, they have not either.
TEST(LayersTest, BaselinesIncludeInstalledHeadersOnly) {
  const std::set<std::string> not_installed = {"config", "sweep", "schedule", "runlog",
                                               "report", "app",   "worker",   "download"};
  for (const Include& include : read_includes()) {
    if (include.part != "baselines") continue;
    EXPECT_EQ(not_installed.count(part_of_header(include.header)), 0u)
        << include.place << " includes " << include.header;
    EXPECT_NE(include.header.rfind("baselines/", 0), 0u)
        << include.place << " includes " << include.header << "; a baseline is one folder";
  }
}

TEST(LayersTest, WhatTheDriverLinksKnowsNoTensors) {
  for (const Include& include : read_includes()) {
    if (kPartsWithTensors.count(include.part)) continue;
    const bool is_torch = std::regex_search(include.header, std::regex("^(torch|ATen|c10)/"));
    EXPECT_FALSE(is_torch || kPartsWithTensors.count(part_of_header(include.header)))
        << include.place << ": " << include.part << " may not include " << include.header;
  }
}

// Which parts may include the headers of one library.
struct LibraryRule {
  const char* library;
  const char* headers;  // regular expression
  std::set<std::string> parts;
};

TEST(LayersTest, EveryLibraryHasItsPlace) {
  const LibraryRule rules[] = {{"SQLite", "^(SQLiteCpp/|sqlite3)", {"runlog", "report"}},
                               {"yaml-cpp", "^yaml-cpp/", {"config"}},
                               {"protozero", "^protozero/", {"onnx", "report"}},
                               {"libcurl", "^curl/", {"download"}},
                               {"Boost.Program_options", "^boost/program_options", {"app"}}};
  for (const LibraryRule& rule : rules) {
    for (const Include& include : read_includes()) {
      if (!std::regex_search(include.header, std::regex(rule.headers))) continue;
      EXPECT_EQ(rule.parts.count(include.part), 1u)
          << include.place << ": " << include.part << " may not touch " << rule.library;
    }
  }
}

// Types of different parts meet in one program (the tests link all of them). Two of one name are
// undefined behavior that no compiler reports.
TEST(LayersTest, NoTwoHeadersDefineTypesOfOneName) {
  static const std::regex scope(R"(^namespace ([\w:]+) \{)");
  static const std::regex type(R"(^(?:class|struct|enum class|enum) (\w+)\b(?!::)[^;]*$)");
  std::map<std::string, std::string> places;  // by qualified name
  for (const auto& entry : fs::recursive_directory_iterator(kSource)) {
    if (entry.path().extension() != ".h") continue;
    const std::string place = fs::relative(entry.path(), kSource).string();
    std::string name_space;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      std::smatch match;
      if (std::regex_search(line, match, scope)) name_space = match[1];
      if (!std::regex_search(line, match, type)) continue;
      const std::string name = name_space + "::" + match[1].str();
      const auto [known, is_new] = places.try_emplace(name, place);
      EXPECT_TRUE(is_new) << name << " is defined in " << known->second << " and in " << place;
    }
  }
  EXPECT_GT(places.size(), 300u);
}

}  // namespace
