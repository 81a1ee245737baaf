#include "qbitopt/plugin/stamp.h"

#include <gmock/gmock.h>

#include <fstream>
#include <regex>

#include "core/temporary_folder.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

constexpr const char* kStamp =
    "@qbitopt-plugin api=1 qbitopt=0.1.0+0123456789ab torch=2.13.0 compiler=gcc-12 cxx11-abi=1 "
    "asan=0@";

std::string with(const std::string& old_text, const std::string& new_text) {
  std::string stamp = kStamp;
  return stamp.replace(stamp.find(old_text), old_text.size(), new_text);
}

TEST(StampTest, SaysWhatThisLibraryIsBuiltFromAndWith) {
  EXPECT_TRUE(std::regex_match(
      own_stamp(),
      std::regex("@qbitopt-plugin api=1 qbitopt=\\d+\\.\\d+\\.\\d+\\+[0-9a-f]{12} torch=2\\.[^ ]+ "
                 "compiler=(gcc|clang)-\\d+ cxx11-abi=1 asan=[01]@")))
      << own_stamp();
}

TEST(StampTest, IsFoundInAFileThatIsNotLoaded) {
  const TemporaryFolder folder;
  const auto file = folder.write("plugin.so", std::string("\x7f"
                                                          "ELF\0\0@",
                                                          7) +
                                                  kStamp + std::string("\0@", 2));
  EXPECT_EQ(read_stamp(file), kStamp);
  EXPECT_EQ(read_stamp(folder.write("other.so", "ELF@qbitopt@")), "");
  EXPECT_EQ(
      read_stamp(folder.write("endless.so", "@qbitopt-plugin " + std::string(1000, 'x') + "@")),
      "");
}

TEST(StampTest, IsFoundBehindTheBareWordOfAnUnoptimizedBuild) {
  const TemporaryFolder folder;
  const std::string word("@qbitopt-plugin \0@", 18);
  EXPECT_EQ(read_stamp(folder.write("plugin.so", word + std::string(1000, '\0') + kStamp)), kStamp);
}

TEST(StampTest, AFileThatIsNotThereIsNamed) {
  for (const char* path : {"/nowhere/plugin.so", "/tmp"}) {
    try {
      read_stamp(path);
      FAIL() << path;
    } catch (const JobError& error) {
      EXPECT_EQ(error.error_class(), "plugin");
      EXPECT_THAT(error.what(), HasSubstr(std::string(path) + ": no such file"));
    }
  }
}

TEST(StampTest, EqualStampsAreNoTrouble) { EXPECT_EQ(stamp_trouble(kStamp, kStamp), ""); }

TEST(StampTest, TroubleShowsBothStampsAlignedAndWhatToDo) {
  EXPECT_EQ(stamp_trouble(with("0123456789ab", "ba9876543210"), kStamp),
            "it was built for another qbitopt\n"
            "  plugin:  @qbitopt-plugin api=1 qbitopt=0.1.0+ba9876543210 torch=2.13.0 "
            "compiler=gcc-12 cxx11-abi=1 asan=0@\n"
            "  qbitopt: @qbitopt-plugin api=1 qbitopt=0.1.0+0123456789ab torch=2.13.0 "
            "compiler=gcc-12 cxx11-abi=1 asan=0@\n"
            "build it again with find_package(qbitopt) of the qbitopt that runs it");
}

TEST(StampTest, EachFieldHasItsNameAndItsRemedy) {
  const struct {
    const char *old_text, *new_text, *meaning, *remedy;
  } cases[] = {{"api=1", "api=2", "another plugin interface", "build it again"},
               {"torch=2.13.0", "torch=2.12.1", "another LibTorch", "CMAKE_PREFIX_PATH"},
               {"gcc-12", "clang-19", "another compiler", "CMAKE_CXX_COMPILER"},
               {"abi=1", "abi=0", "another std::string ABI", "_GLIBCXX_USE_CXX11_ABI"},
               {"asan=0", "asan=1", "a build with other sanitizers", "PRESET=asan"},
               {" asan=0", "", "a build with other sanitizers", "PRESET=asan"}};
  for (const auto& c : cases) {
    const std::string trouble = stamp_trouble(with(c.old_text, c.new_text), kStamp);
    EXPECT_THAT(trouble, HasSubstr(std::string("it was built for ") + c.meaning + "\n"));
    EXPECT_THAT(trouble, HasSubstr(c.remedy));
  }
  EXPECT_THAT(
      stamp_trouble(with("torch=2.13.0 compiler=gcc-12", "torch=2.9.0 compiler=gcc-13"), kStamp),
      HasSubstr("it was built for another LibTorch, another compiler\n"));
}

}  // namespace
}  // namespace qbitopt
