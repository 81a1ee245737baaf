// Versions that are written in two places.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace {

// The number after `before` in a file of the repository; empty if it is not there.
std::string number_after(const std::string& file, const std::string& before) {
  std::ifstream stream(std::filesystem::path(QBITOPT_SOURCE_DIR) / file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  std::smatch match;
  return std::regex_search(text, match, std::regex(before + "(\\d+)")) ? match[1].str() : "";
}

TEST(VersionsTest, ThePythonPackageReadsTheSchemaThatTheProgramWrites) {
  const std::string written = number_after("src/qbitopt/runlog/migrations.h", "kSchemaVersion = ");
  EXPECT_FALSE(written.empty());
  EXPECT_EQ(number_after("python/src/qbitopt/database.py", "\nSCHEMA_VERSION = "), written);
}

}  // namespace
