// qbitopt models --fetch: published weights from a server on this machine.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "end_to_end/sandbox.h"

namespace qbitopt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FetchTest : public testing::Sandbox {
 protected:
  FetchTest() {
    for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
      environment_[name] = "";
    // The server ends with the input that this test holds open.
    server_ = ::popen(("exec '" QBITOPT_PYTHON "' '" QBITOPT_DOWNLOAD_SERVER "' '" +
                       (folder_ / "requests").string() + "' >'" + (folder_ / "port").string() + "'")
                          .c_str(),
                      "w");
    wait_until([&] { return read("port").ends_with('\n'); });
  }
  ~FetchTest() override { ::pclose(server_); }

  // An address on the server, below which every file is what `name` says.
  std::string mirror(const std::string& name) const {
    const std::string port = read("port");
    return "http://127.0.0.1:" + port.substr(0, port.find('\n')) + "/" + name;
  }

 private:
  std::FILE* server_ = nullptr;
};

TEST_F(FetchTest, AnotherFileThanThePublishedOneIsDeletedAndTheAddressGiven) {
  const testing::Result result =
      qbitopt("models --fetch resnet18 --to somewhere --mirror " + mirror("file"));
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_THAT(
      result.err,
      AllOf(
          HasSubstr("expected f37072fd47e89c5e"), HasSubstr("it was deleted"),
          HasSubstr("fetch https://download.pytorch.org/models/resnet18-f37072fd.pth by hand, and "
                    "save it as somewhere/resnet18-f37072fd.pth (sha256 f37072fd47e89c5e")));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "somewhere"));
  EXPECT_THAT(read("requests"), HasSubstr("/file/resnet18-f37072fd.pth "));
}

TEST_F(FetchTest, OfflineSaysWhatToFetchByHandAndHowToUseAProxy) {
  environment_["all_proxy"] = "http://127.0.0.1:9";  // nobody answers there
  const testing::Result result = qbitopt("models --fetch efficientnet_lite0");
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_THAT(
      result.err,
      AllOf(HasSubstr("127.0.0.1 port 9"), HasSubstr("https_proxy=http://HOST:PORT"),
            HasSubstr("fetch https://huggingface.co/timm/efficientnet_lite0.ra_in1k/resolve/main/"
                      "model.safetensors by hand, and save it as "
                      "weights/efficientnet_lite0.safetensors\n")));
}

TEST_F(FetchTest, WarnsOfAFileThatHasNoWeights) {
  const testing::Result result =
      qbitopt("models efficientnet_lite0 --fetch --to somewhere --mirror " + mirror("named"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "wrote somewhere/efficientnet_lite0.safetensors\n");
  EXPECT_THAT(result.err, AllOf(HasSubstr("300000 bytes"), HasSubstr("as the server says"),
                                HasSubstr("warning: somewhere/efficientnet_lite0.safetensors ")));
  EXPECT_EQ(std::filesystem::file_size(folder_ / "somewhere/efficientnet_lite0.safetensors"),
            300'000u);
}

TEST_F(FetchTest, ABrokenConnectionIsContinued) {
  const testing::Result result =
      qbitopt("models --fetch efficientnet_lite0 --mirror " + mirror("broken"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("not compared: the publisher names none"));
}

TEST_F(FetchTest, WrongOptionsAreRefused) {
  EXPECT_THAT(qbitopt("models --fetch").err, HasSubstr("--fetch needs the NAME of a model"));
  EXPECT_THAT(qbitopt("models --fetch resnet8").err,
              HasSubstr("'resnet8' has no published weights"));
  EXPECT_THAT(qbitopt("models resnet18 --to here").err, HasSubstr("--to is an option of --fetch"));
  EXPECT_THAT(qbitopt("models --fetch resnet18 --mirror ftp://x").err,
              HasSubstr("begins with https:// or http://, not 'ftp://x'"));
}

TEST_F(FetchTest, MissingWeightsNameTheCommandThatFetchesThem) {
  write("resnet18.yaml", R"(qbitopt: 1
name: resnet18
set: {model: resnet18, data.name: synthetic, method: fp32, weights.root: there}
)");
  EXPECT_THAT(qbitopt("plan resnet18.yaml").err,
              HasSubstr("to get it: qbitopt models --fetch resnet18 --to <weights.root>"));
}

}  // namespace
}  // namespace qbitopt
