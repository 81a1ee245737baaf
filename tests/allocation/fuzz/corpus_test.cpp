// The texts that the fuzzer has found worth keeping, and those that once went wrong.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "allocation/fuzz/target.h"

namespace qbitopt {
namespace {

TEST(CostTableCorpusTest, EveryTextIsReadOrRefused) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(QBITOPT_FUZZ_CORPUS)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream stream(entry.path(), std::ios::binary);
    test::try_cost_table(
        std::string{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()});
    ++count;
  }
  EXPECT_GE(count, 10);
}

}  // namespace
}  // namespace qbitopt
