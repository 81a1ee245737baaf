#include "qbitopt/download/download.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "core/errors.h"
#include "core/temporary_folder.h"
#include "qbitopt/core/file_lock.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// What server.py offers.
std::string content() {
  std::string bytes;
  for (int64_t i = 0; i < 300'000; ++i) bytes += static_cast<char>(i * 7919 % 251);
  return bytes;
}

// server.py, as long as this lives.
class Server {
 public:
  explicit Server(const fs::path& log) : log_(log) {
    std::array<int, 2> in{}, out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execl(QBITOPT_PYTHON, "python3", QBITOPT_DOWNLOAD_SERVER, log.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    std::FILE* output = ::fdopen(out[0], "r");
    if (std::fscanf(output, "%d", &port_) != 1) std::abort();
    std::fclose(output);
  }
  ~Server() {
    ::close(input_);
    ::waitpid(child_, nullptr, 0);
  }
  Server(const Server&) = delete;

  std::string address(const std::string& path = "") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  // "/file bytes=100-", one for each request.
  std::vector<std::string> requests() const {
    std::vector<std::string> lines;
    const std::string text = fs::exists(log_) ? read_bytes(log_) : "";
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      lines.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }

 private:
  fs::path log_;
  pid_t child_ = -1;
  int input_ = -1;
  int port_ = 0;
};

class DownloadTest : public ::testing::Test {
 protected:
  DownloadTest() {
    for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
      ::unsetenv(name);
  }

  Downloaded take(const std::string& path, const std::string& digest) {
    return download({server_.address(path), file_, digest}, options_);
  }
  // The message of the DownloadError; empty if there is none.
  std::string error_of(const std::string& path, const std::string& digest) {
    try {
      take(path, digest);
    } catch (const DownloadError& error) {
      return error.what();
    }
    return "";
  }
  bool has_part() const { return fs::exists(part_); }

  const TemporaryFolder folder_;
  const Server server_{folder_ / "requests"};
  const fs::path file_ = folder_ / "new/weights.pth";
  const fs::path part_ = file_.string() + ".part";
  const std::string content_ = content();
  const std::string digest_ = sha256(content_);
  DownloadOptions options_{.first_pause = std::chrono::milliseconds(1),
                           .stall = std::chrono::seconds(1)};
};

TEST_F(DownloadTest, WritesTheFileAndSaysItsDigest) {
  int64_t last = 0, total = 0;
  options_.progress = [&](int64_t bytes, int64_t all) { std::tie(last, total) = {bytes, all}; };
  const Downloaded found = take("/file", digest_);
  EXPECT_EQ(read_bytes(file_), content_);
  EXPECT_EQ(found.sha256, digest_);
  EXPECT_EQ(found.bytes, 300'000);
  EXPECT_EQ(found.check, DownloadCheck::kDigest);
  EXPECT_FALSE(found.was_there);
  EXPECT_FALSE(has_part());
  EXPECT_EQ(last, 300'000);
  EXPECT_EQ(total, 300'000);
}

TEST_F(DownloadTest, AFileThatIsThereIsOnlyChecked) {
  take("/file", digest_);
  EXPECT_TRUE(take("/file", digest_.substr(0, 8)).was_there);
  EXPECT_EQ(server_.requests().size(), 1u);
  const std::string other(64, '0');
  EXPECT_THAT(input_error([&] { take("/file", other); }),
              AllOf(HasSubstr("weights.pth is damaged or another file: its sha256 is " + digest_),
                    HasSubstr("expected " + other), HasSubstr("remove it")));
}

TEST_F(DownloadTest, FirstDigitsAreEnoughOfADigest) {
  EXPECT_EQ(take("/file", digest_.substr(0, 8)).check, DownloadCheck::kFirstDigits);
}

TEST_F(DownloadTest, AFileWithAnotherDigestIsDeleted) {
  const std::string other(64, '0');
  EXPECT_THAT(error_of("/file", other),
              AllOf(HasSubstr(server_.address("/file")), HasSubstr("its sha256 is " + digest_),
                    HasSubstr("expected " + other), HasSubstr("it was deleted")));
  EXPECT_FALSE(fs::exists(file_));
  EXPECT_FALSE(has_part());
}

TEST_F(DownloadTest, ABrokenConnectionIsContinuedWhereItBroke) {
  EXPECT_EQ(take("/broken", digest_).sha256, digest_);
  EXPECT_THAT(server_.requests(),
              ElementsAre("/broken ", "/broken bytes=100000-", "/broken bytes=200000-"));
}

TEST_F(DownloadTest, APartOfAnEarlierProcessIsContinued) {
  folder_.write("new/weights.pth.part", content_.substr(0, 299'000));
  EXPECT_EQ(take("/file", digest_).sha256, digest_);
  EXPECT_THAT(server_.requests(), ElementsAre("/file bytes=299000-"));
}

TEST_F(DownloadTest, APartOfAnotherFileIsNotMixedIn) {
  folder_.write("new/weights.pth.part", "something else");
  EXPECT_EQ(take("/file", digest_).sha256, digest_);
  EXPECT_EQ(read_bytes(file_), content_);
}

TEST_F(DownloadTest, APartThatIsTooLongStartsAnew) {
  folder_.write("new/weights.pth.part", content_ + "more");
  EXPECT_EQ(take("/file", digest_).sha256, digest_);
}

TEST_F(DownloadTest, WithoutADigestNothingIsContinued) {
  folder_.write("new/weights.pth.part", "something else");
  const Downloaded found = take("/broken", "");
  EXPECT_EQ(found.check, DownloadCheck::kNone);
  EXPECT_EQ(read_bytes(file_), content_);
  EXPECT_THAT(server_.requests(), ElementsAre("/broken ", "/broken ", "/broken "));
}

TEST_F(DownloadTest, AServerWithoutOffsetsStartsAnew) {
  EXPECT_EQ(take("/no-ranges", digest_).sha256, digest_);
  EXPECT_THAT(server_.requests(),
              ElementsAre("/no-ranges ", "/no-ranges bytes=100000-", "/no-ranges "));
}

TEST_F(DownloadTest, RedirectsAreFollowed) {
  EXPECT_EQ(take("/redirect", digest_).sha256, digest_);
  EXPECT_THAT(server_.requests(), ElementsAre("/redirect ", "/file "));
}

TEST_F(DownloadTest, RedirectsEndAndStayOnTheNetwork) {
  EXPECT_THAT(error_of("/loop", digest_), HasSubstr("/loop: Maximum (10) redirects followed"));
  EXPECT_THAT(error_of("/elsewhere", digest_), HasSubstr("/elsewhere: Protocol \"file\""));
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(DownloadTest, ABusyServerIsAskedAgain) {
  EXPECT_EQ(take("/busy", digest_).sha256, digest_);
  EXPECT_EQ(server_.requests().size(), 3u);
}

TEST_F(DownloadTest, AServerThatStaysBusyIsAnError) {
  options_.attempts = 2;
  EXPECT_THAT(error_of("/busy", digest_), HasSubstr("/busy: the server answers 503 (2 attempts)"));
}

TEST_F(DownloadTest, APageOfErrorsIsNotTheFile) {
  EXPECT_THAT(error_of("/nothing", digest_), HasSubstr("/nothing: the server answers 404"));
  EXPECT_EQ(server_.requests().size(), 1u);
  EXPECT_FALSE(has_part());
}

TEST_F(DownloadTest, ASilentServerIsLeftAndThePartKept) {
  options_.attempts = 1;
  EXPECT_THAT(error_of("/stalls", digest_), HasSubstr("/stalls: Operation too slow"));
  EXPECT_EQ(fs::file_size(part_), 100'000u);
}

TEST_F(DownloadTest, NoNetworkIsSaidAtOnce) {
  try {
    download({"http://weights.invalid/file", file_, digest_}, options_);
    FAIL();
  } catch (const DownloadError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("http://weights.invalid/file: "),
                                    HasSubstr("resolve host"), Not(HasSubstr("attempts"))));
  }
  EXPECT_FALSE(has_part());
}

TEST_F(DownloadTest, GoesThroughTheProxyOfTheEnvironment) {
  ::setenv("http_proxy", server_.address().c_str(), 1);
  const Downloaded found = download({"http://weights.invalid/file", file_, digest_}, options_);
  ::unsetenv("http_proxy");
  EXPECT_EQ(found.sha256, digest_);
  EXPECT_THAT(server_.requests(), ElementsAre("http://weights.invalid/file "));
}

TEST_F(DownloadTest, TheServersDigestCountsWhereThePublisherNamesNone) {
  EXPECT_EQ(take("/named", "").check, DownloadCheck::kServerDigest);
  fs::remove(file_);
  EXPECT_THAT(error_of("/misnamed", ""), HasSubstr("expected " + std::string(64, '0')));
}

TEST_F(DownloadTest, OnlyOneProcessDownloadsAFile) {
  fs::create_directories(file_.parent_path());
  const auto lock = FileLock::try_lock(part_);
  EXPECT_THAT(input_error([&] { take("/file", digest_); }),
              HasSubstr("weights.pth: another process downloads it"));
}

}  // namespace
}  // namespace qbitopt
