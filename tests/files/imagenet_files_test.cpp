#include "qbitopt/files/imagenet_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
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
  TemporaryFolder folder_;
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
    const LabeledFile& image = packed.validation[1];
    const std::string archive = read_raw(folder_ / "val/ILSVRC2012_img_val.tar");
    EXPECT_EQ(archive.substr(static_cast<size_t>(image.offset), static_cast<size_t>(image.bytes)),
              "and two");
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

TEST_F(ImageNetFilesTest, FoldersWithoutImagesAreNoClasses) {
  two_classes();
  touch("val/n01443537/c.JPEG");
  for (const char* folder : {"train/lost+found", "train/__MACOSX", "val/lost+found"})
    std::filesystem::create_directories(folder_ / folder);
  touch("train/__MACOSX/._a.JPEG");
  touch("train/.cache/x.JPEG");
  for (const int64_t classes : {2, 1000}) {
    const ImageNetFiles files = list(classes);
    EXPECT_EQ(files.train.size(), 2u);
    ASSERT_EQ(files.left_out.size(), 1u);
    EXPECT_EQ(text_of(files.left_out[0]), "train/__MACOSX holds no images (2 more)");
  }
  EXPECT_THAT(message(3), HasSubstr("holds 2 classes; data.classes is 3; they are 'n01440764', "
                                    "'n01443537'; train/__MACOSX holds no images (1 more)"));
  touch("train/lost+found/found.jpg");
  EXPECT_THAT(message(), HasSubstr("'lost+found' is none of ImageNet's 1,000 classes"));
}

TEST_F(ImageNetFilesTest, AClassMayHaveImagesInValAlone) {
  touch("train/cat/1.png");
  std::filesystem::create_directories(folder_ / "train/ant");
  touch("val/ant/1.png");
  EXPECT_EQ(list(2).validation[0].label, 0);
  EXPECT_EQ(list(2).train[0].label, 1);
}

TEST_F(ImageNetFilesTest, AClassWhoseFolderCannotBeReadIsNotMissed) {
  two_classes();
  touch("val/n01443537/c.JPEG");
  std::filesystem::create_symlink("/nowhere", folder_ / "train/n01484850");
  EXPECT_THAT(message(), HasSubstr("train: class 'n01484850' is a link that leads nowhere"));
  EXPECT_THAT(message(3), HasSubstr("; train/n01484850 is a link that leads nowhere"));
  EXPECT_EQ(text_of(list(2).left_out.at(0)), "train/n01484850 is a link that leads nowhere");
}

// As Tiny ImageNet comes.
TEST_F(ImageNetFilesTest, ImagesMayLieDeeper) {
  touch("train/n01443537/images/n01443537_0.JPEG");
  touch("train/n01440764/images/n01440764_0.JPEG");
  touch("train/n01440764/n01440764_boxes.txt");
  touch("val/images/val_0.JPEG");
  touch("val/images/val_1.JPEG");
  EXPECT_THAT(message(2), HasSubstr("val: class 'images' is not in train (val/images/val_0.JPEG"));
  touch("val/val_annotations.txt",
        "val_0.JPEG\tn01443537\t0\t32\t44\t62\n\nval_1.JPEG\tn01440764\t0\t32\t44\t62\n");
  const ImageNetFiles files = list(2);
  ASSERT_EQ(files.train.size(), 2u);
  EXPECT_EQ(files.train[0].label, 0);
  ASSERT_EQ(files.validation.size(), 2u);
  EXPECT_EQ(files.validation[0].label, 1);
  EXPECT_EQ(files.sources, std::vector<std::string>{"val/val_annotations.txt"});
  std::filesystem::create_directory_symlink("..", folder_ / "train/n01440764/loop");
  EXPECT_EQ(text_of(list(2).left_out.at(0)),
            "train/n01440764/loop is a link to a folder, within a folder of a class");
}

TEST_F(ImageNetFilesTest, NamesOfFlatImagesMaySayTheClass) {
  for (const char* name :
       {"n01440764_10_n01440764", "n01440764_9_n01440764", "n01443537_1_n01443537"})
    touch("train/" + std::string(name) + ".JPEG");
  touch("train/n01440764_11_n01440764.txt");
  touch("val/ILSVRC2012_val_00000001_n01443537.JPEG");
  const ImageNetFiles loose = list();
  ASSERT_EQ(loose.train.size(), 3u);
  EXPECT_EQ(loose.train[2].label, 1);
  EXPECT_EQ(loose.validation.at(0).label, 1);

  const auto pack = [&](const std::string& command) {
    ASSERT_EQ(std::system(("cd " + folder_.string() + " && " + command).c_str()), 0);
  };
  pack("cd train && tar cf train_images_0.tar ./n01440764_10* && rm n01440764_10*");
  pack("cd train && tar cf train_images_1.tar ./n0144*JPEG && rm n01443537*");
  EXPECT_THAT(message(), HasSubstr("n01440764_9_n01440764.JPEG lies both in "
                                   "train/n01440764_9_n01440764.JPEG and in train/train_images_1"));
  pack("cd train && rm n01440764_9* && cd ../val && tar cf val_images.tar *.JPEG && rm *.JPEG");
  const ImageNetFiles packed = list();
  ASSERT_EQ(packed.train.size(), 3u);
  EXPECT_EQ(packed.train[2].label, 1);
  EXPECT_EQ(packed.validation.at(0).label, 1);
  EXPECT_EQ(list(2).train.size(), 3u);

  touch("train/other.JPEG");
  EXPECT_EQ(text_of(list().left_out.at(0)), "train/other.JPEG lies beside the folders of classes");
}

TEST_F(ImageNetFilesTest, FlatImagesWithoutAClassInTheirNamesAreRefused) {
  touch("train/a.JPEG");
  touch("val/b.JPEG");
  EXPECT_THAT(message(), HasSubstr("train: holds no folders of classes: its 1 images lie flat, as "
                                   "train/a.JPEG, and no name ends in a class"));
}

TEST_F(ImageNetFilesTest, WhatMayBeDataAndIsNotReadIsNamed) {
  two_classes();
  touch("val/n01443537/c.JPEG");
  for (const char* file : {"train/n01440764/b.webp", "train/n01440764/c.HEIC", "train/more.tar.gz",
                           "train/n01440764/inner.tar", "train/Thumbs.db", "val/desktop.ini"})
    touch(file);
  const ImageNetFiles files = list();
  std::vector<std::string> texts;
  for (const LeftOut& what : files.left_out) texts.push_back(text_of(what));
  EXPECT_THAT(texts, testing::UnorderedElementsAre(
                         "train/n01440764/b.webp is no .JPEG, .jpg or .png by its name (1 more)",
                         HasSubstr("train/more.tar.gz is packed in a way that is not read"),
                         HasSubstr("train/n01440764/inner.tar is an archive within the folder")));
  EXPECT_TRUE(files.sources.empty());
}

TEST_F(ImageNetFilesTest, WhatIsNoFileIsListedWithoutBeingOpened) {
  two_classes();
  touch("val/n01443537/c.JPEG");
  ASSERT_EQ(::mkfifo((folder_ / "train/n01440764/pipe.JPEG").c_str(), 0600), 0);
  std::filesystem::create_symlink("/nowhere", folder_ / "train/n01440764/broken.JPEG");
  std::filesystem::create_directories(folder_ / "train/n01440764/folder.JPEG");
  EXPECT_EQ(list().train.size(), 4u);  // two to be found out when they are read
  ASSERT_EQ(::mkfifo((folder_ / "train/pipe.tar").c_str(), 0600), 0);
  EXPECT_THAT(message(), HasSubstr("train/pipe.tar: is no regular file"));
}

TEST_F(ImageNetFilesTest, AFileInPlaceOfAFolderIsNamedAndTheOtherWayRound) {
  two_classes();
  touch("val", "");
  EXPECT_THAT(message(), HasSubstr("val: is a file; expected a folder"));
  std::filesystem::remove(folder_ / "val");
  touch("val/b.JPEG");
  std::filesystem::create_directories(folder_ / "val.txt");
  EXPECT_THAT(message(), HasSubstr("val.txt: is a folder; expected a list of labels"));
}

TEST_F(ImageNetFilesTest, ARootAboveTheDataIsToldWhereTheyLie) {
  touch("ILSVRC/Data/CLS-LOC/train/n01440764/a.JPEG");
  touch("ILSVRC/Data/CLS-LOC/val/a.JPEG");
  EXPECT_THAT(message(),
              HasSubstr("train: no such folder; train and val lie in " +
                        (folder_ / "ILSVRC/Data/CLS-LOC").string() + ": set data.root to that"));
}

TEST_F(ImageNetFilesTest, ClassNamesAreInTheOrderOfTheLabels) {
  for (int i = 0; i < 12; ++i) touch("train/" + std::to_string(i) + "/a.png");
  touch("val/2/b.png");
  const ImageNetFiles files = list(12);
  EXPECT_EQ(files.class_names[2], "10");
  EXPECT_EQ(files.class_names[4], "2");
  EXPECT_EQ(files.validation[0].label, 4);
}

TEST_F(ImageNetFilesTest, LargeArchivesStayClosedOnRequest) {
  two_classes();
  touch("val/n01443537/c.JPEG");
  ASSERT_EQ(std::system(("cd " + folder_.string() +
                         "/train && tar cf all.tar n01440764 n01443537 && rm -r n01*")
                            .c_str()),
            0);
  EXPECT_EQ(list_imagenet(folder_.string(), 2, 1 << 20).train.size(), 2u);
  const ImageNetFiles closed = list_imagenet(folder_.string(), 7, 100);
  EXPECT_TRUE(closed.train.empty());
  EXPECT_EQ(closed.validation.size(), 1u);
  EXPECT_EQ(closed.sources, std::vector<std::string>{"train/all.tar"});
  touch("train/page.tar", "<html>");
  EXPECT_THROW(list_imagenet(folder_.string(), 7, 100), InputError);
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
