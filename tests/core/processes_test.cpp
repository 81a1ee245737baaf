#include "qbitopt/core/processes.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A child that does something and then waits, until the end of the test.
class Child {
 public:
  explicit Child(const std::function<void()>& action) {
    int ready[2];
    if (::pipe(ready) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      action();
      if (::write(ready[1], "!", 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    char byte;
    if (::read(ready[0], &byte, 1) != 1) pid_ = -1;
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  int pid() const { return pid_; }

 private:
  int pid_ = -1;
};

class ProcessesTest : public ::testing::Test {
 protected:
  ProcessesTest() { ::close(::open(file_.c_str(), O_RDWR | O_CREAT, 0600)); }
  ~ProcessesTest() override { fs::remove(file_); }
  fs::path file_ =
      fs::path(::testing::TempDir()) / ("processes_test." + std::to_string(::getpid()));
};

TEST_F(ProcessesTest, StatusTellsNameAndTimeComputed) {
  const auto begun = process_status(::getpid());
  ASSERT_TRUE(begun);
  EXPECT_FALSE(begun->is_stopped);
  EXPECT_FALSE(begun->name.empty());
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  while (std::chrono::steady_clock::now() < until) {
  }
  EXPECT_GT(process_status(::getpid())->cpu_seconds, begun->cpu_seconds);
  EXPECT_FALSE(process_status(0));
}

TEST_F(ProcessesTest, MemoryIsToldOfAProcessAndOfTheMachine) {
  const std::vector<char> memory(64 << 20, 'x');
  const auto status = process_status(::getpid());
  ASSERT_TRUE(status);
  EXPECT_GT(status->memory_bytes, static_cast<int64_t>(memory.size()));
  EXPECT_GT(free_memory(), 0);
  EXPECT_LT(free_memory(), int64_t{1} << 50);
}

TEST_F(ProcessesTest, AStoppedProcessIsKnown) {
  const Child child([] {});
  EXPECT_FALSE(process_status(child.pid())->is_stopped);
  ::kill(child.pid(), SIGSTOP);
  ::waitpid(child.pid(), nullptr, WUNTRACED);
  EXPECT_TRUE(process_status(child.pid())->is_stopped);
}

TEST_F(ProcessesTest, WhoHasAFileOpenIsFound) {
  EXPECT_THAT(processes_with_open(file_), IsEmpty());
  const Child child([&] { ::open(file_.c_str(), O_RDONLY); });
  EXPECT_THAT(processes_with_open(file_), ElementsAre(child.pid()));
}

TEST_F(ProcessesTest, WhoHasLockedAFileIsFoundAndAWriterBeforeReaders) {
  const auto lock = [&](short type, off_t byte) {
    const int descriptor = ::open(file_.c_str(), O_RDWR);
    struct flock lock {};
    lock.l_type = type;
    lock.l_start = byte;
    lock.l_len = 1;
    ::fcntl(descriptor, F_SETLK, &lock);
  };
  EXPECT_THAT(processes_with_lock({file_}), IsEmpty());
  const Child reader([&] { lock(F_RDLCK, 0); });
  EXPECT_THAT(processes_with_lock({"/no/such/file", file_}), ElementsAre(reader.pid()));
  const Child writer([&] { lock(F_WRLCK, 1); });
  EXPECT_THAT(processes_with_lock({file_}), ElementsAre(writer.pid()));
}

}  // namespace
}  // namespace qbitopt
