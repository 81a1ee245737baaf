#include "qbitopt/core/shipped_files.h"

#include <gmock/gmock.h>

#include <fstream>

#include "core/temporary_folder.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;

// Works in another folder while it lives.
class InFolder {
 public:
  explicit InFolder(const fs::path& folder) : before_(fs::current_path()) {
    fs::current_path(folder);
  }
  ~InFolder() { fs::current_path(before_); }

 private:
  fs::path before_;
};

TEST(ShippedFilesTest, AreFoundFromAnyFolder) {
  const TemporaryFolder folder;
  const InFolder elsewhere(folder.path());
  EXPECT_TRUE(fs::exists(shipped_file("sweeps/quick.yaml")));
  EXPECT_TRUE(fs::exists(shipped_folder() / "experiments/fashion_mnist/resnet8.yaml"));
  EXPECT_THAT(shipped_names("sweeps", ".yaml"), Contains("quick"));
}

TEST(ShippedFilesTest, TheWorkingFoldersOwnComeFirst) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "sweeps");
  std::ofstream(folder / "sweeps/quick.yaml") << "mine";
  std::ofstream(folder / "sweeps/mine.yaml") << "mine";
  const InFolder elsewhere(folder.path());
  EXPECT_EQ(shipped_file("sweeps/quick.yaml"), "sweeps/quick.yaml");
  EXPECT_THAT(shipped_names("sweeps", ".yaml"), Contains("mine"));
  EXPECT_EQ(shipped_file("sweeps/unknown.yaml"), "sweeps/unknown.yaml");
}

}  // namespace
}  // namespace qbitopt
