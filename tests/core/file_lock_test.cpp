#include "qbitopt/core/file_lock.h"

#include <gtest/gtest.h>

#include <fstream>
#include <system_error>

namespace qbitopt {
namespace {

class FileLockTest : public ::testing::Test {
 protected:
  FileLockTest() { std::filesystem::remove(file_); }
  std::filesystem::path file_ = std::filesystem::path(::testing::TempDir()) /
                                (std::string("file_lock_test.") +
                                 ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(FileLockTest, OnlyOneHoldsIt) {
  EXPECT_FALSE(FileLock::is_held(file_));
  auto first = FileLock::try_lock(file_);
  ASSERT_TRUE(first);
  EXPECT_TRUE(FileLock::is_held(file_));
  EXPECT_FALSE(FileLock::try_lock(file_));
  first.reset();
  EXPECT_TRUE(FileLock::try_lock(file_));
}

TEST_F(FileLockTest, KeepsHoldingWhenMoved) {
  auto first = FileLock::try_lock(file_);
  FileLock second = std::move(*first);
  first.reset();
  EXPECT_TRUE(FileLock::is_held(file_));
}

TEST_F(FileLockTest, SaysWhatIsWritten) {
  auto lock = FileLock::try_lock(file_);
  lock->write("a long text");
  lock->write("short");
  std::string text;
  std::getline(std::ifstream(file_), text);
  EXPECT_EQ(text, "short");
}

TEST_F(FileLockTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_THROW(FileLock::try_lock("/nonexistent/lock"), std::system_error);
}

}  // namespace
}  // namespace qbitopt
