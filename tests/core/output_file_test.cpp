#include "qbitopt/core/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <system_error>
#include <thread>

#include "core/temporary_folder.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    std::ofstream(folder_ / file) << text;
  }
  std::string read(const std::string& file) const { return read_bytes(folder_ / file); }
  void output(const fs::path& file, const std::string& text) {
    OutputFile output(file);
    output.write(text);
    output.commit();
  }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

  const TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

TEST_F(OutputFileTest, AFileAppearsAsAWhole) {
  write("a", "old");
  {
    OutputFile file(folder_ / "a");
    file.write(std::string(1 << 20, 'x'));
    EXPECT_EQ(read("a"), "old");
  }
  EXPECT_EQ(read("a"), "old");  // without commit()
  EXPECT_EQ(files(), 1u);
  output(folder_ / "a", std::string(1 << 20, 'y'));
  EXPECT_EQ(read("a"), std::string(1 << 20, 'y'));
  EXPECT_EQ(files(), 1u);
}

TEST_F(OutputFileTest, ALinkStaysAndWhatItPointsToIsReplaced) {
  fs::create_directory(folder_ / "elsewhere");
  write("elsewhere/target", "old");
  fs::create_symlink("elsewhere/target", folder_ / "link");
  fs::create_symlink("link", folder_ / "second");
  output(folder_ / "second", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "second"));
  EXPECT_EQ(read("elsewhere/target"), "new");
}

TEST_F(OutputFileTest, ALinkToNothingMakesItsTarget) {
  fs::create_symlink("target", folder_ / "link");
  output(folder_ / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read("target"), "new");
}

TEST_F(OutputFileTest, APipeIsWrittenInto) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] { received = read("pipe"); });
  output(folder_ / "pipe", "through");
  reader.join();
  EXPECT_EQ(received, "through");
  EXPECT_TRUE(fs::is_fifo(folder_ / "pipe"));
}

TEST_F(OutputFileTest, ADeviceStaysOne) {
  output("/dev/null", "gone");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  if (::mknod((folder_ / "null").c_str(), S_IFCHR | 0600, ::makedev(1, 3)) != 0)
    GTEST_SKIP() << "only root makes devices";
  output(folder_ / "null", "gone");
  EXPECT_TRUE(fs::is_character_file(folder_ / "null"));
  EXPECT_EQ(files(), 1u);
}

// A shell's `>> log` must keep what was there.
TEST_F(OutputFileTest, AnOpenFileIsWrittenFromWhereItStands) {
  write("log", "before ");
  const int descriptor = ::open((folder_ / "log").c_str(), O_WRONLY | O_APPEND);
  ASSERT_GE(descriptor, 0);
  output("/proc/self/fd/" + std::to_string(descriptor), "after");
  ::close(descriptor);
  EXPECT_EQ(read("log"), "before after");
}

TEST_F(OutputFileTest, PermissionsStay) {
  write("a", "old");
  fs::permissions(folder_ / "a", fs::perms(0640));
  output(folder_ / "a", "new");
  EXPECT_EQ(fs::status(folder_ / "a").permissions(), fs::perms(0640));
}

TEST_F(OutputFileTest, WhatCannotBeWrittenIsNamed) {
  fs::create_symlink("loop", folder_ / "loop");
  for (const fs::path& file :
       {folder_, folder_ / "", folder_ / "missing" / "a", folder_ / "loop", fs::path(""),
        folder_ / std::string(300, 'n'), fs::path("/dev/null/a")}) {
    EXPECT_THROW(output(file, "x"), std::system_error) << file;
  }
  EXPECT_EQ(files(), 1u);
}

}  // namespace
}  // namespace qbitopt
