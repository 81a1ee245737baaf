#include "qbitopt/plugin/stamp.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>

#include "qbitopt/core/error.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/plugin/plugin.h"

namespace qbitopt {
namespace {

const std::string kStampBegin = "@qbitopt-plugin ";
constexpr size_t kLongestStamp = 500;  // a text that goes on longer is none

// "torch" -> "2.13.0".
std::map<std::string, std::string> fields_of(const std::string& stamp) {
  std::map<std::string, std::string> fields;
  std::istringstream words(stamp.substr(0, stamp.rfind('@')));
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    if (equals != std::string::npos) fields[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return fields;
}

struct Field {
  const char* name;
  const char* meaning;
  const char* remedy;
};

constexpr const char* kBuildAgain =
    "build it again with find_package(qbitopt) of the qbitopt that runs it";
constexpr Field kFields[] = {
    {"api", "another plugin interface", kBuildAgain},
    {"qbitopt", "another qbitopt", kBuildAgain},
    {"torch", "another LibTorch", "build both with the same LibTorch (CMAKE_PREFIX_PATH)"},
    {"compiler", "another compiler", "build both with the same compiler (CMAKE_CXX_COMPILER)"},
    {"cxx11-abi", "another std::string ABI",
     "build both with the same LibTorch and without _GLIBCXX_USE_CXX11_ABI of your own"},
    {"asan", "a build with other sanitizers",
     "build both with the address sanitizer (PRESET=asan, -fsanitize=address) or both without"},
};

}  // namespace

std::string own_stamp() { return qbitopt_plugin_stamp; }

std::string read_stamp(const std::filesystem::path& file) {
  if (!std::ifstream(file) || !std::filesystem::is_regular_file(file)) {
    throw JobError("plugin", file.string() + ": no such file, or one that may not be read");
  }
  const std::string content = read_bytes(file);
  // The word may stand elsewhere, too: in the text of this function, for one.
  for (size_t begin = 0; (begin = content.find(kStampBegin, begin)) != std::string::npos; ++begin) {
    const std::string text = content.substr(begin, kLongestStamp);
    const size_t end = text.find_first_of(std::string_view("@\0", 2), 1);
    if (end != std::string::npos && text[end] == '@') return text.substr(0, end + 1);
  }
  return "";
}

std::string stamp_trouble(const std::string& plugin, const std::string& own) {
  if (plugin == own) return "";
  const auto theirs = fields_of(plugin);
  const auto ours = fields_of(own);
  std::vector<std::string_view> meanings, remedies;
  for (const Field& field : kFields) {
    const auto found = theirs.find(field.name);
    if (found != theirs.end() && found->second == ours.at(field.name)) continue;
    meanings.push_back(field.meaning);
    if (std::find(remedies.begin(), remedies.end(), field.remedy) == remedies.end())
      remedies.push_back(field.remedy);
  }
  return fmt::format("it was built for {}\n  plugin:  {}\n  qbitopt: {}\n{}",
                     fmt::join(meanings, ", "), plugin, own, fmt::join(remedies, "; "));
}

}  // namespace qbitopt
