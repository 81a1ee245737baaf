#include "qbitopt/core/heartbeat.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <system_error>

#include "core/temporary_folder.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

using std::chrono::milliseconds;

class HeartbeatTest : public ::testing::Test {
 protected:
  static void wait_until(const std::function<bool()>& is_true) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_true()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "waited in vain";
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
  Json content() const { return Json::parse(read_text(file_)); }
  // As another machine would.
  void write_as_another(const std::string& owner, int beat) const {
    const auto file = folder_ / "other";
    std::ofstream(file) << Json{{"machine", "elsewhere/1"},
                                {"owner", owner},
                                {"beat", beat},
                                {"about", {{"host", "elsewhere"}}}};
    std::filesystem::rename(file, file_);
  }

  const TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "db.driver";
  const Heartbeat::Options options_{milliseconds(50), milliseconds(500), milliseconds(0)};
};

TEST_F(HeartbeatTest, BeatsWhileItsOwnerLivesAndLeavesNothing) {
  {
    const auto heartbeat = Heartbeat::take(file_, {{"host", "here"}}, options_);
    ASSERT_TRUE(heartbeat);
    EXPECT_EQ(Heartbeat::owner(file_), Json({{"host", "here"}}));
    EXPECT_FALSE(Heartbeat::is_elsewhere(file_));
    wait_until([&] { return content()["beat"] > 2; });
    EXPECT_FALSE(heartbeat->is_lost());
  }
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(HeartbeatTest, AnOwnerOnAnotherMachineThatLivesKeepsIt) {
  write_as_another("a", 0);
  std::thread other([&] {
    for (int beat = 1; beat < 10; ++beat) {
      std::this_thread::sleep_for(milliseconds(50));
      write_as_another("a", beat);
    }
  });
  EXPECT_FALSE(Heartbeat::take(file_, {}, options_));
  other.join();
  EXPECT_EQ(content()["owner"], "a");
}

TEST_F(HeartbeatTest, AnOwnerOnAnotherMachineThatDiedIsReplacedAfterAWhile) {
  write_as_another("a", 7);
  EXPECT_TRUE(Heartbeat::is_elsewhere(file_));
  const auto begun = std::chrono::steady_clock::now();
  const auto heartbeat = Heartbeat::take(file_, {}, options_);
  EXPECT_TRUE(heartbeat);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, options_.patience);
}

TEST_F(HeartbeatTest, AnOwnerOnThisMachineThatDiedIsReplacedAtOnce) {
  write_as_another("a", 7);
  { const auto heartbeat = Heartbeat::take(file_, {}, options_); }  // makes the file this machine's
  std::string left;
  {
    const auto heartbeat = Heartbeat::take(file_, {}, options_);
    left = read_text(file_);
  }
  std::ofstream(file_) << left;  // as after kill -9
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(Heartbeat::take(file_, {}, options_));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, options_.patience);
}

TEST_F(HeartbeatTest, AnOwnerThatWasReplacedHearsOfItAndLeavesTheFileAlone) {
  {
    const auto heartbeat = Heartbeat::take(file_, {}, options_);
    write_as_another("b", 0);
    wait_until([&] { return heartbeat->is_lost(); });
  }
  EXPECT_EQ(content()["owner"], "b");
}

TEST_F(HeartbeatTest, OfTwoThatTakeItInTheSameMomentOneHasIt) {
  Heartbeat::Options options = options_;
  options.settle = milliseconds(200);
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(50));
    write_as_another("b", 0);
  });
  EXPECT_FALSE(Heartbeat::take(file_, {}, options));
  other.join();
  EXPECT_EQ(content()["owner"], "b");
}

TEST_F(HeartbeatTest, AFolderThatIsMissingIsAnError) {
  EXPECT_THROW(Heartbeat::take(folder_ / "nowhere/file", {}, options_), std::system_error);
}

}  // namespace
}  // namespace qbitopt
