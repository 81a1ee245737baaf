#include "qbitopt/core/file_hashes.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>

#include "core/temporary_folder.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"

namespace qbitopt {
namespace {

// Bytes that this process has read so far, whatever from.
int64_t bytes_read() {
  std::ifstream stream("/proc/self/io");
  std::string name;
  int64_t bytes = 0;
  stream >> name >> bytes;
  return bytes;
}

class FileHashesTest : public ::testing::Test {
 protected:
  void write(const std::string& content) { std::ofstream(file_) << content; }

  const TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "file";
};

TEST_F(FileHashesTest, AFileIsReadOnce) {
  const std::string content(1 << 20, 'a');
  write(content);
  FileHashes hashes(std::chrono::seconds(-60));
  EXPECT_EQ(hashes.sha256_of(file_), sha256(content));
  const int64_t before = bytes_read();
  EXPECT_EQ(hashes.sha256_of(file_), sha256(content));
  EXPECT_LT(bytes_read() - before, 1 << 19);
}

TEST_F(FileHashesTest, AChangedFileIsReadAgainWhateverItsTimesSay) {
  write("first");
  FileHashes hashes(std::chrono::seconds(-60));
  EXPECT_EQ(hashes.sha256_of(file_), sha256("first"));
  const auto changed = std::filesystem::last_write_time(file_);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the clock of files is coarse
  write("other");
  std::filesystem::last_write_time(file_, changed);
  EXPECT_EQ(hashes.sha256_of(file_), sha256("other"));
  std::filesystem::remove(file_);
  EXPECT_THROW(hashes.sha256_of(file_), InputError);
}

}  // namespace
}  // namespace qbitopt
