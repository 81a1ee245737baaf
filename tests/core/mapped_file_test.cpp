#include "qbitopt/core/mapped_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string refusal(const fs::path& file) {
  try {
    MappedFile mapped(file);
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(MappedFileTest, HasTheBytesOfAFileAndSaysWhatIsNone) {
  const fs::path folder =
      fs::temp_directory_path() / ("mapped_file_test." + std::to_string(::getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "file") << "bytes";
  std::ofstream(folder / "empty");
  ::mkfifo((folder / "pipe").c_str(), 0600);
  EXPECT_EQ(MappedFile(folder / "file").bytes(), "bytes");
  EXPECT_EQ(MappedFile(folder / "empty").bytes(), "");
  EXPECT_THAT(refusal(folder), HasSubstr("is a folder; give the file in it"));
  EXPECT_THAT(refusal(folder / "absent"), HasSubstr("absent: no such file"));
  EXPECT_THAT(refusal(folder / "pipe"), HasSubstr("is no ordinary file, but a pipe or a device"));
  EXPECT_THAT(refusal("/dev/zero"), HasSubstr("is no ordinary file"));
  EXPECT_EQ(refusal(""), "'': no such file");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace qbitopt
