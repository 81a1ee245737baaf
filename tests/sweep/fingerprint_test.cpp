#include "qbitopt/sweep/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qbitopt/core/hash.h"
#include "sweep/errors.h"
#include "sweep/temporary_folder.h"
#include "weights/files.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

Manifest data_set() {
  Manifest data;
  data.kind = "data";
  data.name = "digits";
  data.contents = {{"images.gz", ""}};
  data.obtain = "apt-get install dataset-digits, or set data.root=...";
  return data;
}

TEST(DataFingerprintsTest, DependsOnContentsAndNotOnTheFolder) {
  const TemporaryFolder a, b;
  a.write("images.gz", "0123");
  b.write("images.gz", "0123");
  const Manifest data = data_set();
  const std::string here = DataFingerprints().of(data, a.path());
  EXPECT_EQ(here.size(), 64u);
  EXPECT_EQ(here, DataFingerprints().of(data, b.path()));
  b.write("images.gz", "0124");
  EXPECT_NE(here, DataFingerprints().of(data, b.path()));
}

TEST(DataFingerprintsTest, FilesCountWithNameAndSize) {
  const TemporaryFolder folder;
  Manifest data = data_set();
  data.contents.clear();
  data.files = {"train/*/*.png"};
  folder.write("train/cat/1.png", "x");
  const std::string one = DataFingerprints().of(data, folder.path());
  folder.write("train/cat/1.png", "y");
  EXPECT_EQ(one, DataFingerprints().of(data, folder.path())) << "contents are not read";
  folder.write("train/dog/2.png", "z");
  EXPECT_NE(one, DataFingerprints().of(data, folder.path()));
}

TEST(DataFingerprintsTest, AMissingFileSaysWhereItWasExpectedAndHowToGetIt) {
  const TemporaryFolder folder;
  const Manifest data = data_set();
  EXPECT_EQ(input_error([&] { DataFingerprints().of(data, folder.path()); }),
            "data set 'digits': " + folder.path().string() +
                "/images.gz is missing; expected below data.root = '" + folder.path().string() +
                "'; to get it: apt-get install dataset-digits, or set data.root=...");
}

TEST(DataFingerprintsTest, ADamagedFileSaysWhatWasExpected) {
  const TemporaryFolder folder;
  folder.write("images.gz", "0123");
  Manifest data = data_set();
  data.contents["images.gz"] = std::string(64, 'a');
  EXPECT_THAT(input_error([&] { DataFingerprints().of(data, folder.path()); }),
              HasSubstr("images.gz is damaged or another file: its sha256 is " + sha256("0123") +
                        ", expected aaaa"));
}

TEST(DataFingerprintsTest, WeightsMustBeAWholeFileOfTheirKind) {
  const TemporaryFolder folder;
  Manifest weights = data_set();
  weights.kind = "model";
  weights.name = "net";
  weights.contents = {{"net.safetensors", ""}};
  weights.obtain = "download net.pth";
  const auto fault = [&](const std::string& header, const std::string& values) {
    const auto size = static_cast<char>(header.size());
    folder.write("net.safetensors", size + std::string(7, '\0') + header + values);
    return input_error([&] { DataFingerprints().of(weights, folder.path()); });
  };
  const std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(fault(header, "12345678"), "");
  EXPECT_EQ(fault(header, "1234"), "weights of 'net': " + folder.path().string() +
                                       "/net.safetensors is cut off: its tensors need 70 bytes; "
                                       "the file has 66 bytes; to get it: download net.pth");
  EXPECT_THAT(fault("{\"a\":", ""), HasSubstr("has a safetensors header that cannot be read"));
  EXPECT_THAT(fault(R"({"a":{"dtype":"F32"}})", ""), HasSubstr("header that cannot be read"));
  EXPECT_THAT(fault("", ""), HasSubstr("holds no weights: it has only 8 bytes"));
  folder.write("net.safetensors", "<!DOCTYPE html><title>404</title>");
  EXPECT_THAT(input_error([&] { DataFingerprints().of(weights, folder.path()); }),
              HasSubstr("is neither safetensors nor PyTorch's zip file, or was cut off: its header "
                        "would have"));
}

TEST(DataFingerprintsTest, WeightsMayBeWhatPyTorchWrote) {
  const TemporaryFolder folder;
  Manifest weights = data_set();
  weights.kind = "model";
  weights.name = "net";
  weights.contents = {{"net.safetensors", ""}};
  weights.obtain = "download net.pth";
  const auto fingerprint = [&] { return DataFingerprints().of(weights, folder.path()); };
  const auto file_of = [](const std::string& values) {
    using namespace weight_files;
    return torch_file(dictionary({{"fc.weight", tensor({1}, {1})}}), {values});
  };
  const std::string root = folder.path().string();

  const std::string digits = sha256(file_of("1...")).substr(0, 8);
  folder.write("net-" + digits + ".pth", file_of("1..."));
  folder.write("net-small-" + digits + ".pth", "another network's");
  const std::string one = fingerprint();
  EXPECT_EQ(one.size(), 64u);
  folder.write("net.pth", file_of("1..."));
  EXPECT_EQ(fingerprint(), one) << "the content counts, not the name";
  folder.write("net.pth", file_of("2..."));
  EXPECT_NE(fingerprint(), one) << "net.pth goes before net-<digits>.pth";

  folder.write("net.pth", file_of("2...").substr(0, 20));
  EXPECT_EQ(input_error(fingerprint),
            "weights of 'net': " + root +
                "/net.pth is cut off: it begins as a zip file and does not end as one; the file "
                "has 20 bytes; to get it: download net.pth");
  folder.write("net.pth", "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 of long ago");
  EXPECT_THAT(input_error(fingerprint),
              HasSubstr("net.pth is a pickle as PyTorch wrote it before version 1.6, which is not "
                        "read here; what PyTorch can read, this converts: .venv/bin/python "
                        "tools/convert_weights.py " +
                        root + "/net.pth " + root + "/net.safetensors"));
  std::filesystem::remove(folder.path() / "net.pth");

  folder.write("net-" + digits + ".pth", file_of("2..."));
  EXPECT_THAT(
      input_error(fingerprint),
      HasSubstr(".pth is damaged or another file: its sha256 is " + sha256(file_of("2...")) +
                ", expected " + digits + "...; to get it: download net.pth"));
  folder.write("net-ffffffff.pth", file_of("3..."));
  EXPECT_THAT(input_error(fingerprint),
              HasSubstr("are both weights of 'net'; name the one to start from net.pth"));
}

TEST(DataFingerprintsTest, TheCacheRemembersUntilTheFileChanges) {
  const TemporaryFolder folder;
  const Manifest data = data_set();
  const auto file = folder.write("images.gz", "0123");
  const auto cache = folder.path() / "data.json";
  const auto read = [&] {
    DataFingerprints fingerprints(cache);
    const std::string fingerprint = fingerprints.of(data, folder.path());
    fingerprints.save();
    return fingerprint;
  };
  const std::string first = read();
  Json remembered = read_json(cache);
  ASSERT_EQ(remembered.size(), 1u);
  EXPECT_EQ(remembered.begin().value()["sha256"], sha256("0123"));
  // The cache is believed while size and time agree ...
  remembered.begin().value()["sha256"] = std::string(64, 'b');
  folder.write("data.json", remembered.dump());
  EXPECT_NE(read(), first);
  // ... and not when the file has changed.
  std::filesystem::last_write_time(
      file, std::filesystem::last_write_time(file) + std::chrono::seconds(1));
  EXPECT_EQ(read(), first);
  // A damaged one counts as empty.
  folder.write("data.json", "{\"x\": 3");
  EXPECT_EQ(read(), first);
}

TEST(DataFingerprintsTest, ACacheThatCannotBeWrittenIsNoError) {
  const TemporaryFolder folder;
  folder.write("images.gz", "0123");
  DataFingerprints fingerprints("/nonexistent/data.json");
  fingerprints.of(data_set(), folder.path());
  EXPECT_NO_THROW(fingerprints.save());
}

}  // namespace
}  // namespace qbitopt
