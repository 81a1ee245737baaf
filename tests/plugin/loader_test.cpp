#include "qbitopt/plugin/loader.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/temporary_folder.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/plugin/stamp.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

std::filesystem::path trouble_plugin() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() /
         "lib/qbitopt/test_plugins/trouble.so";
}

// What load_plugin() refuses the file with.
std::string refusal(const std::filesystem::path& file, const std::string& method = "trouble",
                    MethodRegistry methods = MethodRegistry("method")) {
  try {
    load_plugin(file.string(), method, methods);
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "plugin");
    return error.what();
  }
  return "";
}

TEST(LoaderTest, AddsTheMethod) {
  MethodRegistry methods("method");
  load_plugin(trouble_plugin().string(), "trouble", methods);
  EXPECT_EQ(methods.names(), std::vector<std::string>{"trouble"});
  const Parameters parameters(Json{{"trouble.where", "nowhere"}});
  EXPECT_TRUE(methods.make("trouble", parameters)->quantizes());
}

TEST(LoaderTest, RefusesALibraryWithAStampAndNoEntry) {
  const auto library = trouble_plugin().parent_path().parent_path().parent_path() / "libqbitopt.so";
  EXPECT_THAT(refusal(library), HasSubstr("it has no entry of this qbitopt"));
}

TEST(LoaderTest, RefusesAFileThatIsNotThereOrNoPlugin) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal(folder.path() / "dq.so"), HasSubstr("dq.so: no such file"));
  EXPECT_THAT(refusal(folder.write("text.so", "not a library")),
              HasSubstr("text.so: it is no plugin of qbitopt, as it has no stamp; build it with "
                        "qbitopt_add_baseline()"));
  EXPECT_THAT(refusal(folder.write("torn.so",
                                   "\x7f"
                                   "ELF" +
                                       own_stamp())),
              HasSubstr("torn.so: it cannot be loaded: "));
}

// The file is not loaded: a library of another LibTorch would end the process in dlopen().
TEST(LoaderTest, RefusesAPluginOfAnotherBuild) {
  const TemporaryFolder folder;
  std::string content = read_bytes(trouble_plugin());
  const size_t hash = content.find('+', content.find(own_stamp())) + 1;
  content[hash] = content[hash] == '0' ? '1' : '0';
  const std::string why = refusal(folder.write("stale.so", content));
  EXPECT_THAT(why, HasSubstr("stale.so: it was built for another qbitopt\n  plugin:  @qbitopt"));
  EXPECT_THAT(why, HasSubstr("\n  qbitopt: " + own_stamp() + "\n"));
}

TEST(LoaderTest, RefusesAMethodThatIsThereAlready) {
  MethodRegistry methods("method");
  load_plugin(trouble_plugin().string(), "trouble", methods);
  EXPECT_THAT(refusal(trouble_plugin(), "trouble", methods),
              HasSubstr("trouble.so: method 'trouble' is registered twice"));
}

TEST(LoaderTest, RefusesAPluginWhoseManifestNamesAnotherMethod) {
  EXPECT_THAT(refusal(trouble_plugin(), "peace"),
              HasSubstr("its manifest says that it brings the method 'peace', but its code "
                        "registers 'trouble'; the name must be the same in both"));
}

}  // namespace
}  // namespace qbitopt
