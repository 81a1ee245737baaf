#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace qbitopt::worker {

// Parses "--name value", "--switch" and words, for the verbs that the driver passes on. After "--"
// there are words alone.
struct Arguments {
  std::map<std::string, std::string> options;  // a switch: "true"
  std::vector<std::string> words;

  // Throws InputError for an unknown option or one without its value.
  static Arguments parse(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& with_value,
                         const std::vector<std::string>& switches);

  bool has(const std::string& name) const { return options.count(name) != 0; }
  // Throws InputError that names the option if it is absent.
  const std::string& required(const std::string& name) const;
  std::string get_or(const std::string& name, const std::string& fallback) const;
  // Throws InputError unless it is a whole number from `least` to `most`.
  int number_or(const std::string& name, int fallback, int least, int most = kNoLimit) const;
  // The same for a required option.
  int number(const std::string& name, int least, int most = kNoLimit) const;
  static constexpr int kNoLimit = INT32_MAX;
};

}  // namespace qbitopt::worker
