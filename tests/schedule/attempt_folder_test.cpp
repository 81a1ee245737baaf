#include "qbitopt/schedule/attempt_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/temporary_folder.h"
#include "schedule/map_store.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using testing::named_job;

class AttemptFolderTest : public ::testing::Test {
 protected:
  Attempt made(const std::string& name, int number = 1) {
    const Attempt attempt = plan_attempt(runs_, named_job(name), number);
    make_folder(attempt);
    return attempt;
  }

  TemporaryFolder folder_;
  fs::path runs_ = folder_.path() / "runs";
};

TEST_F(AttemptFolderTest, IsNamedByKeyAndNumber) {
  const Attempt attempt = plan_attempt(runs_, named_job("a"), 3);
  EXPECT_EQ(fs::path(attempt.folder), runs_ / sha256("a").substr(0, 10) / "3");
  EXPECT_EQ(attempt.number, 3);
  EXPECT_FALSE(fs::exists(attempt.folder));
}

TEST_F(AttemptFolderTest, KeepsTheAttemptAsJson) {
  const Attempt attempt = made("a");
  const Attempt read = read_json(fs::path(attempt.folder) / "job.json").get<Attempt>();
  EXPECT_EQ(read.job.key, attempt.job.key);
  EXPECT_EQ(read.job.parameters, attempt.job.parameters);
}

TEST_F(AttemptFolderTest, MovesAFolderThatIsThereAside) {
  const Attempt first = made("a");
  std::ofstream(fs::path(first.folder) / "events.jsonl") << "old\n";
  const Attempt second = made("a");
  EXPECT_EQ(second.folder, first.folder);
  EXPECT_FALSE(fs::exists(second.folder + "/events.jsonl"));
  EXPECT_TRUE(fs::exists(first.folder + ".old/events.jsonl"));
}

TEST_F(AttemptFolderTest, AJobWithTheSameTenDigitsGetsAFolderOfItsFullKey) {
  Job other = made("a").job;
  other.key.back() = other.key.back() == '0' ? '1' : '0';
  EXPECT_EQ(fs::path(plan_attempt(runs_, other, 1).folder), runs_ / other.key / "1");
}

TEST_F(AttemptFolderTest, FindsTheNewestCheckpoint) {
  std::vector<Attempt> attempts;
  for (int number = 1; number <= 3; ++number) attempts.push_back(made("a", number));
  EXPECT_TRUE(newest_checkpoint(attempts[2]).empty());
  std::ofstream(attempts[0].folder + "/checkpoint") << "7";
  EXPECT_EQ(newest_checkpoint(attempts[2]), attempts[0].folder + "/checkpoint");
  EXPECT_TRUE(newest_checkpoint(attempts[0]).empty());
}

}  // namespace
}  // namespace qbitopt
