#include "qbitopt/files/readable_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "data/files.h"

namespace qbitopt {
namespace {

TEST(ReadableFileTest, SaysWhatIsThereInPlaceOfAFile) {
  const TemporaryFolder folder;
  write_raw(folder / "file", "x");
  std::filesystem::create_symlink(folder / "file", folder / "link");
  std::filesystem::create_symlink("/nowhere", folder / "broken");
  std::filesystem::create_symlink("loop", folder / "loop");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const std::pair<const char*, const char*> cases[] = {{"file", ""},
                                                       {"link", ""},
                                                       {"none", "no such file"},
                                                       {"file/below", "no such file"},
                                                       {"broken", "is a link that leads nowhere"},
                                                       {"loop", "is a link that leads nowhere"},
                                                       {".", "is a folder"},
                                                       {"pipe", "is no regular file"}};
  for (const auto& [name, fault] : cases) EXPECT_EQ(fault_of_file(folder / name), fault) << name;
  EXPECT_EQ(fault_of_file("/dev/null"), "is no regular file");
  EXPECT_EQ(fault_of_file(folder / std::string(300, 'x')), "cannot be opened: File name too long");
}

}  // namespace
}  // namespace qbitopt
