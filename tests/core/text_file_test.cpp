#include "qbitopt/core/text_file.h"

#include <gtest/gtest.h>

#include <sstream>

#include "core/errors.h"
#include "core/temporary_folder.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

std::string why_unread(const std::filesystem::path& file, size_t limit = kLargestText) {
  try {
    read_text(file, limit);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(TextFileTest, IsReadWhole) {
  const TemporaryFolder folder;
  const std::string text(200'000, 'x');
  EXPECT_EQ(read_text(folder.write("long.txt", text)), text);
  EXPECT_EQ(read_text(folder.write("empty.txt", "")), "");
  std::istringstream stream("a\nb");
  EXPECT_EQ(read_text(stream, "<stdin>"), "a\nb");
}

TEST(TextFileTest, SaysWhyItCannotBeRead) {
  EXPECT_EQ(why_unread("/proc/nothing.yaml"),
            "cannot read /proc/nothing.yaml: No such file or directory");
  EXPECT_EQ(why_unread("/tmp"), "cannot read /tmp: it is a folder");
}

TEST(TextFileTest, WithoutEndIsRefused) {
  EXPECT_EQ(why_unread("/dev/zero"), "cannot read /dev/zero: it has more than 16 MB");
  EXPECT_EQ(why_unread("/dev/zero", 1 << 20), "cannot read /dev/zero: it has more than 1 MB");
}

TEST(TextFileTest, BytesNeedNotBeText) {
  const TemporaryFolder folder;
  const std::string bytes("\xff\0\n", 3);
  EXPECT_EQ(read_bytes(folder.write("bytes", bytes)), bytes);
  EXPECT_EQ(input_error([&] { read_bytes(folder.path()); }),
            "cannot read " + folder.string() + ": it is a folder");
  EXPECT_EQ(input_error([] { read_bytes("/proc/nothing"); }),
            "cannot read /proc/nothing: No such file or directory");
}

}  // namespace
}  // namespace qbitopt
