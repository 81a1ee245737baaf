#include "qbitopt/files/tar_file.h"

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
  TemporaryFolder folder_;
};

TEST_F(TarFileTest, MembersAreFoundInEveryFormatThatTarWrites) {
  const std::string long_name(90, 'x');
  const std::string folders = long_name + "/" + std::string(60, 'y');  // 151 letters
  run("mkdir -p " + folders + " && printf first > " + folders + "/b && printf second > c");
  run("printf '%2000s' third > d && ln -s c link");
  for (const std::string format : {"ustar", "gnu", "posix"}) {
    run("tar --format=" + format + " -cf a.tar ./" + long_name + " c d link");
    const std::vector<TarMember> members = list_tar(folder_ / "a.tar");
    ASSERT_EQ(members.size(), 4u) << format;
    EXPECT_EQ(members[0].name, folders + "/b") << format;
    EXPECT_EQ(content(members[0]), "first");
    EXPECT_EQ(members[1].name, "c");
    EXPECT_EQ(content(members[1]), "second");
    EXPECT_EQ(members[2].bytes, 2000);
    EXPECT_THAT(content(members[2]), HasSubstr("  third"));
    EXPECT_EQ(members[3].name, "link");
    EXPECT_EQ(content(members[3]), "second");
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

// A second name of a file that was packed already is stored as a link to it.
TEST_F(TarFileTest, LinksAreTheFilesThatTheyLeadTo) {
  const std::string folder(120, 'f');  // longer than the header's field
  run("mkdir " + folder + " b && printf image > " + folder + "/x.JPEG");
  run("ln " + folder + "/x.JPEG b/hard.JPEG && ln -s ../" + folder + "/x.JPEG b/soft.JPEG");
  run("ln -s soft.JPEG b/twice.JPEG && ln -s b/loop.JPEG a && ln -s loop.JPEG b/loop.JPEG");
  run("ln -s /nowhere/x.JPEG b/away.JPEG");
  for (const std::string format : {"gnu", "posix"}) {
    run("tar --format=" + format + " -cf a.tar b/twice.JPEG ./" + folder +
        " b/hard.JPEG b/soft.JPEG b/loop.JPEG b/away.JPEG");
    const std::vector<TarMember> members = list_tar(folder_ / "a.tar");
    ASSERT_EQ(members.size(), 6u) << format;
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(members[i].fault, nullptr) << members[i].name;
      EXPECT_EQ(content(members[i]), "image") << members[i].name;
    }
    EXPECT_EQ(members[2].name, "b/hard.JPEG");
    for (size_t i = 4; i < 6; ++i)
      EXPECT_STREQ(members[i].fault, "is a link to what is no file of the archive");
  }
}

TEST_F(TarFileTest, FilesWithHolesAreListedWithTheFault) {
  run("truncate -s 1M x.JPEG && printf end >> x.JPEG && printf image > y.JPEG");
  for (const std::string format : {"gnu --sparse", "posix --sparse --sparse-version=0.1",
                                   "posix --sparse --sparse-version=1.0"}) {
    run("tar --format=" + format + " -cf a.tar x.JPEG y.JPEG");
    const std::vector<TarMember> members = list_tar(folder_ / "a.tar");
    ASSERT_EQ(members.size(), 2u) << format;
    EXPECT_EQ(members[0].name, "x.JPEG");
    EXPECT_STREQ(members[0].fault, "is stored sparse; pack it without --sparse");
    EXPECT_EQ(content(members[1]), "image");
  }
}

TEST_F(TarFileTest, OfFilesWithOneNameTheLastCounts) {
  run("printf first > x && printf y > y && tar cf a.tar x y && printf second > x && tar rf a.tar "
      "x");
  const std::vector<TarMember> members = list_tar(folder_ / "a.tar");
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(content(members[1]), "second");
}

TEST_F(TarFileTest, JoinedArchivesAreReadToTheirEnd) {
  run("printf one > x && printf two > y && tar cf 1.tar x && tar cf 2.tar y && cat 1.tar 2.tar > "
      "a.tar");
  const std::vector<TarMember> members = list_tar(folder_ / "a.tar");
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(content(members[1]), "two");
}

TEST_F(TarFileTest, AnArchiveOfWhichAPartIsMissingIsRefused) {
  run("printf '%2000s' image > x && tar cf whole.tar x && tar cf n.tar whole.tar");
  const std::string whole = read_raw(folder_ / "whole.tar");
  write_raw(folder_ / "a.tar", whole.substr(0, 2560));  // between two members
  EXPECT_THAT(message(), HasSubstr("at byte 2560: the archive ends without the zeros"));
  write_raw(folder_ / "a.tar", std::string(512, '\0') + whole.substr(512));  // a hole
  EXPECT_THAT(message(), HasSubstr("at byte 512: no header of a tar archive; is the file whole?"));
  write_raw(folder_ / "a.tar", whole + std::string(2 << 20, '\0'));  // all behind is a hole
  EXPECT_THAT(message(), HasSubstr("nothing but zeros; is the file whole?"));
  const std::string nested = read_raw(folder_ / "n.tar");
  write_raw(folder_ / "a.tar", nested.substr(0, 3000));
  EXPECT_THAT(message(), HasSubstr("at byte 0: a member goes beyond the end of the archive"));
}

TEST_F(TarFileTest, TheBeginningTellsWhetherItIsAnArchive) {
  run("printf '%2000s' image > x && tar cf whole.tar x && gzip -c whole.tar > a.tar");
  run("truncate -s 2048 a.tar");
  EXPECT_THROW(expect_tar(folder_ / "a.tar"), InputError);
  EXPECT_THROW(expect_tar(folder_.path()), InputError);
  EXPECT_NO_THROW(expect_tar(folder_ / "whole.tar"));
}

TEST_F(TarFileTest, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_THAT(message(), HasSubstr("a.tar: no such file"));
  write_raw(folder_ / "a.tar", "");
  EXPECT_THAT(message(), HasSubstr("a.tar: is empty, no tar archive"));
  write_raw(folder_ / "a.tar", std::string(10240, '\0'));
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
