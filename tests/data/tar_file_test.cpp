#include "qbitopt/data/tar_file.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "data/files.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using testing::HasSubstr;

class TarFileTest : public testing::Test {
 protected:
  void run(const std::string& command) {
    ASSERT_EQ(std::system(("cd " + folder_.string() + " && " + command).c_str()), 0) << command;
  }
  std::string content(const TarMember& member) {
    return read_raw(folder_ / "a.tar")
        .substr(static_cast<size_t>(member.offset), static_cast<size_t>(member.bytes));
  }
  std::string message() {
    try {
      list_tar(folder_ / "a.tar");
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  TemporaryFolder folder_{"tar_file_test"};
};

TEST_F(TarFileTest, MembersAreFoundInEveryFormatThatTarWrites) {
  const std::string long_name(90, 'x');
  const std::string folders = long_name + "/" + std::string(60, 'y');  // 151 letters
  run("mkdir -p " + folders + " && printf first > " + folders + "/b && printf second > c");
  run("printf '%2000s' third > d && ln -s c link");
  for (const std::string format : {"ustar", "gnu", "posix"}) {
    run("tar --format=" + format + " -cf a.tar ./" + long_name + " c d link");
    const std::vector<TarMember> members = list_tar(folder_ / "a.tar");
    ASSERT_EQ(members.size(), 3u) << format;
    EXPECT_EQ(members[0].name, folders + "/b") << format;
    EXPECT_EQ(content(members[0]), "first");
    EXPECT_EQ(members[1].name, "c");
    EXPECT_EQ(content(members[1]), "second");
    EXPECT_EQ(members[2].bytes, 2000);
    EXPECT_THAT(content(members[2]), HasSubstr("  third"));
  }
}

// Compressed data is known by its first bytes, and names may begin like it.
TEST_F(TarFileTest, NamesMayBeginWithAnything) {
  run("printf image > '(x' && printf more > BZh && tar cf a.tar '(x' BZh");
  EXPECT_EQ(list_tar(folder_ / "a.tar").size(), 2u);
  run("tar cf a.tar BZh");
  EXPECT_EQ(list_tar(folder_ / "a.tar").size(), 1u);
}

TEST_F(TarFileTest, ArchivesWithinAnArchiveAreOpened) {
  run("printf image > x.JPEG && tar cf n1.tar x.JPEG && tar cf a.tar n1.tar");
  const std::vector<TarMember> members = list_tar(folder_ / "a.tar");
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].name, "n1.tar/x.JPEG");
  EXPECT_EQ(content(members[0]), "image");
}

TEST_F(TarFileTest, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_THAT(message(), HasSubstr("a.tar: cannot be opened"));
  write_raw(folder_ / "a.tar", "");
  EXPECT_TRUE(list_tar(folder_ / "a.tar").empty());
  write_raw(folder_ / "a.tar", std::string(1024, 'r'));
  EXPECT_THAT(message(), HasSubstr("a.tar: at byte 0: no header of a tar archive"));
  run("printf '%2000s' image > x && tar cf whole.tar x x");
  const std::string whole = read_raw(folder_ / "whole.tar");
  write_raw(folder_ / "a.tar", whole.substr(0, 2000));
  EXPECT_THAT(message(), HasSubstr("at byte 0: a member goes beyond the end of the archive"));
  std::string damaged = whole;
  damaged[2560 + 10] = 'q';  // in the second header
  write_raw(folder_ / "a.tar", damaged);
  EXPECT_THAT(message(), HasSubstr("at byte 2560: no header of a tar archive; is the file whole?"));
  run("gzip -c whole.tar > a.tar && truncate -s 2048 a.tar");
  EXPECT_THAT(message(), HasSubstr("is compressed"));
}

}  // namespace
}  // namespace qbitopt
