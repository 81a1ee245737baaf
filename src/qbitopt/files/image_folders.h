#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace qbitopt {

// An image of its own, or within an archive, whose name is then a part of the path.
struct LabeledFile {
  std::string path;  // below the root: "train/n01440764/a.JPEG" or "train/n01440764.tar/a.JPEG"
  int64_t label = 0;
  int64_t offset = 0;           // bytes: where it begins in its archive
  int64_t bytes = -1;           // -1: a file of its own, whole
  const char* fault = nullptr;  // why its archive does not hold its content; null: it does
};

// What lies among the images and is not read, though it may hold some.
struct LeftOut {
  std::string reason;  // "is a folder without images"
  std::string first;   // path below the root
  int64_t count = 1;
};

// "train/lost+found holds no images", "train/a.webp is no .JPEG ... (2 more)".
std::string text_of(const LeftOut& what);
// Adds it, to what is left out for the same reason if there is some.
void leave_out(std::vector<LeftOut>& left_out, const LeftOut& what);

// One half of a data set, train or val: folders of images, packed or not, and images beside them.
struct ImageFolders {
  struct Image {
    std::string folder;  // the class; empty: lies flat
    LabeledFile file;
    bool is_flat = false;  // with a folder: its name says the class
  };
  std::vector<Image> images;  // sorted by path
  // Folders without images; with the reason, if that is another than that they hold none.
  std::map<std::string, std::string> bare;
  std::vector<std::string> archives;  // paths below the root, sorted
  bool are_archives_closed = false;   // the images in them are not listed
  std::vector<LeftOut> left_out;      // bare folders too

  std::vector<std::string> folders() const;  // those of the images, sorted
};

struct FoldersOptions {
  // Whether an archive of this name, without folders in it, holds the images of that class; those
  // of others lie flat.
  std::function<bool(const std::string& name)> is_class = [](const std::string&) { return true; };
  // Archives that have more bytes together are not opened.
  int64_t most_archive_bytes = std::numeric_limits<int64_t>::max();
};

// Lists the images in root/split. A folder's class is its name: images in it count at any depth,
// as for torchvision's ImageFolder, where only the folders of classes themselves may be links. A
// tar archive stands for the folder that was packed. A flat image whose name ends in a WordNet id,
// as Hugging Face hands them out (n02124075_10_n02124075.JPEG), has that class. Names that begin
// with a dot are passed over. Throws InputError: a folder or an archive that cannot be read, images
// that would count twice.
ImageFolders list_image_folders(const std::filesystem::path& root, const std::string& split,
                                const FoldersOptions& options = {});

}  // namespace qbitopt
