#include "qbitopt/core/file_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <system_error>
#include <thread>

#include "core/temporary_folder.h"

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

// Who asks may not disturb who begins.
TEST_F(FileLockTest, AskingTakesNothing) {
  FileLock::try_lock(file_).reset();
  std::atomic<bool> is_over{false};
  std::thread asker([&] {
    while (!is_over) FileLock::is_held(file_);
  });
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(FileLock::try_lock(file_)) << i;
  is_over = true;
  asker.join();
}

TEST_F(FileLockTest, AskingNeedsNoPermissionToWrite) {
  auto lock = FileLock::try_lock(file_);
  std::filesystem::permissions(file_, std::filesystem::perms(0444));
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
  if (::getuid() == 0) {  // a child gives up root's rights
    const pid_t child = ::fork();
    if (child == 0) {
      const bool is_user = ::setuid(65534) == 0;
      ::_exit(is_user && FileLock::is_held(file_) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(FileLock::is_held(file_));
  lock.reset();
  EXPECT_FALSE(FileLock::is_held(file_));
}

// As the lock of the workers: the driver is gone, they go on.
TEST_F(FileLockTest, AChildThatInheritsItHoldsIt) {
  auto lock = FileLock::try_lock(file_);
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte;
    ::close(pipe[1]);
    [[maybe_unused]] const auto n = ::read(pipe[0], &byte, 1);
    ::_exit(0);
  }
  lock.reset();
  EXPECT_TRUE(FileLock::is_held(file_));
  ::close(pipe[1]);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ::close(pipe[0]);
  EXPECT_FALSE(FileLock::is_held(file_));
}

TEST_F(FileLockTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_THROW(FileLock::try_lock("/dev/null/lock"), std::system_error);
}

}  // namespace
}  // namespace qbitopt
