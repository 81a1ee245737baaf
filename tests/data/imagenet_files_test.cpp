#include "qbitopt/data/imagenet_files.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>

#include "data/files.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ImageNetFilesTest : public testing::Test {
 protected:
  void touch(const std::string& file, const std::string& content = "") {
    std::filesystem::create_directories((folder_ / file).parent_path());
    write_raw(folder_ / file, content);
  }
  ImageNetFiles list(int64_t classes = 1000) { return list_imagenet(folder_.string(), classes); }
  std::string message(int64_t classes = 1000) {
    try {
      list(classes);
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  void two_classes() {
    touch("train/n01443537/b.JPEG");
    touch("train/n01440764/a.JPEG");
    touch("train/n01440764/notes.txt");
  }
  TemporaryFolder folder_{"imagenet_files_test"};
};

TEST(ImageNetClassesTest, AreAThousandInTheOrderOfTheirIds) {
  const auto& classes = imagenet_classes();
  ASSERT_EQ(classes.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(classes.begin(), classes.end(),
                             [](const auto& a, const auto& b) { return a.id < b.id; }));
  EXPECT_EQ(classes[0].name, "tench");
  EXPECT_EQ(classes[285].id, "n02124075");
  EXPECT_EQ(classes[285].name, "Egyptian cat");
  EXPECT_EQ(classes[999].name, "toilet tissue");
}

TEST_F(ImageNetFilesTest, FoldersGiveTheLabelsOfTheWholeImageNetAlsoWhenTheyAreFew) {
  two_classes();
  touch("val/n01443537/c.jpg");
  const ImageNetFiles files = list();
  ASSERT_EQ(files.train.size(), 2u);
  EXPECT_EQ(files.train[0].path, "train/n01440764/a.JPEG");
  EXPECT_EQ(files.train[0].label, 0);
  EXPECT_EQ(files.train[1].label, 1);
  ASSERT_EQ(files.validation.size(), 1u);
  EXPECT_EQ(files.validation[0].label, 1);
  EXPECT_EQ(files.classes, 1000);
}

TEST_F(ImageNetFilesTest, AnotherNumberOfClassesGoesByTheSortedFolders) {
  touch("train/dog/1.png");
  touch("train/cat/1.png");
  touch("val/dog/2.png");
  EXPECT_EQ(list(2).validation[0].label, 1);
  EXPECT_THAT(message(3), HasSubstr("holds 2 classes; data.classes is 3"));
  EXPECT_THAT(message(), HasSubstr("'cat' is none of ImageNet's 1,000 classes"));
}

TEST_F(ImageNetFilesTest, AFlatFolderTakesItsLabelsFromEachKindOfFile) {
  two_classes();
  touch("val/ILSVRC2012_val_00000001.JPEG");
  touch("val/ILSVRC2012_val_00000002.JPEG");
  EXPECT_THAT(message(), HasSubstr("val: holds images without folders of classes, and no file"));

  // The development kit: number 1 is its own first class, here n01443537.
  touch("ILSVRC2012_validation_ground_truth.txt", "1\n2\n");
  EXPECT_THAT(message(), HasSubstr("put the kit's meta.mat beside it"));
  std::string table = "n01443537n01440764";
  for (int i = 2; i < 1000; ++i) table += "n0200" + std::to_string(1000 + i);
  std::string packed(compressBound(table.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(table.data()), table.size());
  const uint32_t element[2] = {15, static_cast<uint32_t>(size)};
  touch("meta.mat", std::string(128, ' ') +
                        std::string(reinterpret_cast<const char*>(element), sizeof(element)) +
                        packed.substr(0, size));
  ImageNetFiles files = list();
  ASSERT_EQ(files.validation.size(), 2u);
  EXPECT_EQ(files.validation[0].label, 1);
  EXPECT_EQ(files.validation[1].label, 0);

  touch("LOC_val_solution.csv",
        "ImageId,PredictionString\nILSVRC2012_val_00000002,n01443537 1 2 3 4 \n"
        "ILSVRC2012_val_00000001,n01440764 111 108 366 301\n");
  files = list();
  EXPECT_EQ(files.validation[0].label, 0);
  EXPECT_EQ(files.validation[1].label, 1);

  touch("val/val.txt", "ILSVRC2012_val_00000001.JPEG 7\nILSVRC2012_val_00000002.JPEG 8\n");
  EXPECT_EQ(list().validation[0].label, 7);
  touch("val.txt", "ILSVRC2012_val_00000001.JPEG 1000\n");
  EXPECT_THAT(message(), HasSubstr("val.txt:1: '1000' is neither a class nor an index below 1000"));
  touch("val.txt", "ILSVRC2012_val_00000001.JPEG 3\n");
  EXPECT_THAT(message(), HasSubstr("has no label for val/ILSVRC2012_val_00000002.JPEG"));
}

TEST_F(ImageNetFilesTest, ArchivesStandForTheFoldersThatWerePacked) {
  two_classes();
  touch("val/ILSVRC2012_val_00000001.JPEG", "one");
  touch("val/ILSVRC2012_val_00000002.JPEG", "and two");
  touch("val.txt", "ILSVRC2012_val_00000001.JPEG 7\nILSVRC2012_val_00000002.JPEG 8\n");
  const ImageNetFiles loose = list();
  const auto pack = [&](const std::string& command) {
    ASSERT_EQ(std::system(("cd " + folder_.string() + " && " + command).c_str()), 0);
  };
  const auto expect_the_same = [&] {
    const ImageNetFiles packed = list();
    ASSERT_EQ(packed.train.size(), loose.train.size());
    for (size_t i = 0; i < loose.train.size(); ++i) {
      EXPECT_EQ(packed.train[i].label, loose.train[i].label) << packed.train[i].path;
      EXPECT_EQ(std::filesystem::path(packed.train[i].path).filename(),
                std::filesystem::path(loose.train[i].path).filename());
    }
    ASSERT_EQ(packed.validation.size(), 2u);
    EXPECT_EQ(packed.validation[1].label, 8);
    const auto bytes = read_image(packed.root, packed.validation[1]);
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "and two");
  };
  // One for each class; then all of them in one, as they are published; then folders in one.
  pack("cd train && for c in n*; do (cd $c && tar cf ../$c.tar *); rm -r $c; done");
  pack("cd val && tar cf ILSVRC2012_img_val.tar *.JPEG && rm *.JPEG");
  expect_the_same();
  pack("cd train && tar cf ILSVRC2012_img_train.tar n*.tar && rm n*.tar");
  expect_the_same();
  pack(
      "cd train && tar xf *.tar && for c in n*.tar; do d=${c%.tar}; mkdir $d; tar xf $c -C $d; done"
      " && rm *.tar && tar cf train.tar ./n* && rm -r n*");
  expect_the_same();
}

TEST_F(ImageNetFilesTest, ImagesThatLieBothPackedAndUnpackedAreRefused) {
  two_classes();
  touch("val/n01443537/c.JPEG");
  const auto pack = [&](const std::string& command) {
    ASSERT_EQ(std::system(("cd " + folder_.string() + " && " + command).c_str()), 0);
  };
  pack("cd train && tar cf n01440764.tar -C n01440764 .");
  EXPECT_EQ(message(), (folder_ / "train").string() +
                           ": class 'n01440764' lies both in train/n01440764 and in "
                           "train/n01440764.tar, so that images would count twice; move one of "
                           "the two out of " +
                           (folder_ / "train").string());
  pack("cd train && tar cf ILSVRC2012_img_train.tar n01440764.tar && rm -r n01440764");
  EXPECT_THAT(message(), HasSubstr("class 'n01440764' lies both in train/ILSVRC2012_img_train.tar "
                                   "and in train/n01440764.tar"));
  pack("cd train && rm n01440764.tar && mkdir n01440764");  // empty, so counts nothing
  EXPECT_EQ(list().train.size(), 2u);

  pack("cd val && mv n01443537/c.JPEG . && rmdir n01443537 && tar cf images.tar c.JPEG");
  touch("val.txt", "c.JPEG 7\n");
  EXPECT_THAT(message(), HasSubstr("val: the images lie both in val/* and in val/images.tar"));
}

TEST_F(ImageNetFilesTest, WhatIsMissingIsNamedWithTheLayoutThatIsExpected) {
  EXPECT_THAT(message(), AllOf(HasSubstr("train: no such folder"),
                               HasSubstr("data.root must hold train/<class>/*.JPEG")));
  std::filesystem::create_directories(folder_ / "train/n01440764");
  std::filesystem::create_directories(folder_ / "val/n01440764");
  EXPECT_THAT(message(), HasSubstr("train: holds no images"));
  touch("train/n01440764/a.JPEG");
  EXPECT_THAT(message(), HasSubstr("val: holds no images"));
  touch("val/n01443537/a.JPEG");
  touch("val/n01440764/a.JPEG");
  EXPECT_EQ(list().validation.size(), 2u);  // a class that training lacks is still ImageNet's
}

}  // namespace
}  // namespace qbitopt
