#include "qbitopt/core/file_lock.h"

#include <gtest/gtest.h>

#include <fstream>
#include <system_error>

#include "sweep/temporary_folder.h"

namespace qbitopt {
namespace {

class FileLockTest : public ::testing::Test {
 protected:
  const TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "lock";
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
