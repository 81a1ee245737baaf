#include "qbitopt/sweep/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.h"
#include "core/temporary_folder.h"
#include "qbitopt/core/hash.h"
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
  data.layout = "imagenet";
  folder.write("train/cat/1.png", "x");
  folder.write("train/dog/1.png", "x");
  folder.write("val/dog/1.png", "x");
  const auto fingerprint = [&] { return DataFingerprints().of(data, folder.path(), 2); };
  const std::string one = fingerprint();
  folder.write("train/cat/1.png", "y");
  EXPECT_EQ(one, fingerprint()) << "contents are not read";
  folder.write("train/dog/2.png", "z");
  EXPECT_NE(one, fingerprint());
}

class ImageFingerprintsTest : public ::testing::Test {
 protected:
  ImageFingerprintsTest() {
    data_.kind = "data";
    data_.name = "photos";
    data_.layout = "imagenet";
    folder_.write("photos/train/n01440764/a.JPEG", "12");
    folder_.write("photos/train/n01443537/b.JPEG", "123");
    folder_.write("photos/val/c.JPEG", "1");
    folder_.write("photos/val/val.txt", "c.JPEG 1\n");
  }
  std::string fingerprint(const std::string& root = "photos", int64_t classes = 2) {
    return DataFingerprints().of(data_, folder_.path() / root, classes);
  }
  TemporaryFolder folder_;
  Manifest data_;
};

// Results in databases are found again by it.
TEST_F(ImageFingerprintsTest, IsTheHashOfNamesAndSizes) {
  const std::string expected =
      sha256(R"({"contents":{},"files":[["train/n01440764/a.JPEG",2],["train/n01443537/b.JPEG",3],)"
             R"(["val/c.JPEG",1],["val/val.txt",9]],"name":"photos"})");
  EXPECT_EQ(fingerprint(), expected);
  EXPECT_EQ(fingerprint("photos", 1000), expected);
}

TEST_F(ImageFingerprintsTest, FilesThatNobodyReadsDoNotCount) {
  const std::string clean = fingerprint();
  for (const char* file :
       {"train/n01440764/Thumbs.db", "train/n01440764/._a.JPEG", "val/desktop.ini", "val/.DS_Store",
        "train/__MACOSX/._b.JPEG", "train/n01440764/notes.txt", "train/readme.jpg"})
    folder_.write("photos/" + std::string(file), "x");
  std::filesystem::create_directories(folder_.path() / "photos/val/lost+found");
  std::filesystem::create_directories(folder_.path() / "photos/train/n01440764/empty");
  EXPECT_EQ(fingerprint(), clean);
  folder_.write("photos/train/n01440764/more/d.png", "x");
  EXPECT_NE(fingerprint(), clean);
}

TEST_F(ImageFingerprintsTest, ARootIsNoPattern) {
  const std::string clean = fingerprint();
  for (const char* name : {"disk [2012]", "run{a,b}", "who?*", "~x", "caf\xe9"}) {
    std::filesystem::copy(folder_.path() / "photos", folder_.path() / name,
                          std::filesystem::copy_options::recursive);
    EXPECT_EQ(fingerprint(name), clean) << name;
  }
}

TEST_F(ImageFingerprintsTest, WhatCannotBeReadCountsByItsName) {
  const std::string clean = fingerprint();
  std::filesystem::create_symlink("/nowhere", folder_.path() / "photos/train/n01440764/z.JPEG");
  const std::string broken = fingerprint();
  EXPECT_NE(broken, clean);
  folder_.write("photos/train/n01440764/caf\xe9.JPEG", "x");
  EXPECT_NE(fingerprint(), broken);
}

TEST_F(ImageFingerprintsTest, AFaultIsToldInTheWordsOfTheListing) {
  EXPECT_THAT(input_error([&] { fingerprint("photos", 3); }),
              HasSubstr("data set 'photos': " + folder_.path().string() +
                        "/photos/train: holds 2 classes; data.classes is 3"));
  EXPECT_THAT(input_error([&] { fingerprint("elsewhere"); }),
              HasSubstr("elsewhere/train: no such folder"));
}

TEST(DataFingerprintsTest, AFolderInPlaceOfAFileIsNamed) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "images.gz");
  EXPECT_THAT(input_error([&] { DataFingerprints().of(data_set(), folder.path()); }),
              HasSubstr("images.gz is a folder; to get it: apt-get install"));
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
  EXPECT_THAT(fault("", ""), HasSubstr("contains no weights: it has only 8 bytes"));
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
  DataFingerprints fingerprints("/dev/null/data.json");
  fingerprints.of(data_set(), folder.path());
  EXPECT_NO_THROW(fingerprints.save());
}

}  // namespace
}  // namespace qbitopt
