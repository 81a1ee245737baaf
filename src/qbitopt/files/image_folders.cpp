#include "qbitopt/files/image_folders.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

#include "qbitopt/core/error.h"
#include "qbitopt/files/tar_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using Image = ImageFolders::Image;

std::string ending_of(const std::string& name) {
  std::string ending = fs::path(name).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return ending;
}

bool is_image_name(const std::string& name) {
  const std::string ending = ending_of(name);
  return ending == ".jpeg" || ending == ".jpg" || ending == ".png";
}

// Why a file that is not called an image is worth a word; null: it is no data at all.
const char* reason_to_leave_out(const std::string& name) {
  static const std::set<std::string, std::less<>> kImages = {
      ".webp", ".gif", ".bmp",  ".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2",
      ".jxl",  ".jpe", ".jfif", ".ppm", ".pgm",  ".svg",  ".raw",  ".dng",  ".psd"};
  static const std::set<std::string, std::less<>> kPacked = {
      ".gz",  ".tgz", ".bz2",     ".tbz",   ".tar",      ".xz",   ".txz", ".zst", ".zip",
      ".rar", ".7z",  ".parquet", ".arrow", ".tfrecord", ".lmdb", ".h5",  ".hdf5"};
  const std::string ending = ending_of(name);
  if (kImages.contains(ending)) return "is no .JPEG, .jpg or .png by its name";
  if (kPacked.contains(ending))
    return "is packed in a way that is not read; unpack it, to a .tar or wholly";
  return nullptr;
}

bool is_wordnet_id(std::string_view text) {
  return text.size() == 9 && text[0] == 'n' &&
         std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "n02124075" of n02124075_10_n02124075.JPEG; empty for other names.
std::string class_in_name(const std::string& path) {
  const std::string stem = fs::path(path).stem().string();
  const std::string end = stem.substr(stem.rfind('_') + 1);
  return end.size() < stem.size() && is_wordnet_id(end) ? end : "";
}

class FoldersReader {
 public:
  FoldersReader(const fs::path& root, const std::string& split, const FoldersOptions& options)
      : root_(root), split_(split), options_(options) {}

  ImageFolders read() {
    std::string fault;
    for (const fs::directory_entry& entry : entries_of(split_, fault)) read_entry(entry);
    if (!fault.empty()) throw InputError((root_ / split_).string() + ": " + fault);
    open_archives();
    std::sort(found_.images.begin(), found_.images.end(),
              [](const Image& a, const Image& b) { return a.file.path < b.file.path; });
    if (flat_places_.size() > 1) refuse_doubled_names();
    for (const auto& [folder, place] : places_) found_.bare.erase(folder);
    for (const auto& [folder, reason] : found_.bare)
      leave_out(split_ + "/" + folder, reason.empty() ? "holds no images" : reason);
    return std::move(found_);
  }

 private:
  // Sorted, without those that begin with a dot. `fault`: why it cannot be listed.
  std::vector<fs::directory_entry> entries_of(const std::string& path, std::string& fault) const {
    std::vector<fs::directory_entry> entries;
    std::error_code error;
    for (fs::directory_iterator at(root_ / path, error), end; !error && at != end;
         at.increment(error)) {
      if (!at->path().filename().string().starts_with(".")) entries.push_back(*at);
    }
    if (error) fault = "cannot be read: " + error.message();
    std::sort(entries.begin(), entries.end());
    return entries;
  }

  void read_entry(const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    const std::string path = split_ + "/" + name;
    std::error_code error;
    if (entry.is_directory(error)) {
      read_class(path, name);
    } else if (name.ends_with(".tar")) {
      found_.archives.push_back(path);
    } else if (is_image_name(name)) {
      add_flat({.path = path}, split_ + "/*");
    } else if (const char* reason = reason_to_leave_out(name)) {
      leave_out(path, reason);
    } else if (entry.is_symlink(error) && !entry.exists(error)) {
      found_.bare[name] = "is a link that leads nowhere";
    }
  }

  void read_class(const std::string& path, const std::string& folder) {
    const size_t before = found_.images.size();
    std::string fault;
    read_folder(path, folder, path, fault);
    if (found_.images.size() > before) return;
    found_.bare[folder] = fault;
  }

  void read_folder(const std::string& path, const std::string& folder, const std::string& place,
                   std::string& fault) {
    for (const fs::directory_entry& entry : entries_of(path, fault)) {
      const std::string name = entry.path().filename().string();
      const std::string inside = path + "/" + name;
      std::error_code error;
      if (entry.is_directory(error)) {
        if (entry.is_symlink(error)) {
          leave_out(inside, "is a link to a folder, within a folder of a class");
          continue;
        }
        std::string inner_fault;
        read_folder(inside, folder, place, inner_fault);
        if (!inner_fault.empty()) leave_out(inside, inner_fault);
      } else if (is_image_name(name)) {
        add(folder, place, {.path = inside});
      } else if (name.ends_with(".tar")) {
        leave_out(inside, "is an archive within the folder of a class; expected in " + split_);
      } else if (const char* reason = reason_to_leave_out(name)) {
        leave_out(inside, reason);
      }
    }
  }

  void open_archives() {
    int64_t bytes = 0;
    for (const std::string& archive : found_.archives) {
      std::error_code error;
      const auto size = fs::file_size(root_ / archive, error);
      if (!error) bytes += static_cast<int64_t>(size);
    }
    found_.are_archives_closed = bytes > options_.most_archive_bytes;
    for (const std::string& archive : found_.archives) {
      if (found_.are_archives_closed) {
        expect_tar(root_ / archive);
      } else {
        read_archive(archive);
      }
    }
  }

  void read_archive(const std::string& archive) {
    const std::string name = fs::path(archive).stem().string();
    const size_t before = found_.images.size();
    for (const TarMember& member : list_tar(root_ / archive)) {
      const fs::path inside = archive + "/" + member.name;
      if (inside.filename().string().starts_with(".")) continue;
      LabeledFile file{.path = inside.string(),
                       .offset = member.offset,
                       .bytes = member.bytes,
                       .fault = member.fault};
      if (!is_image_name(file.path)) {
        const char* reason = member.fault ? member.fault : reason_to_leave_out(file.path);
        if (reason) leave_out(file.path, reason);
        continue;
      }
      std::string folder = inside.parent_path().filename().string();
      if (folder.ends_with(".tar")) folder.resize(folder.size() - 4);
      const bool has_folder = member.name.find('/') != std::string::npos;
      const bool is_class = has_folder || is_wordnet_id(name) ||
                            (options_.is_class(name) && class_in_name(file.path).empty());
      if (is_class) {
        add(folder, archive, std::move(file));
      } else {
        add_flat(std::move(file), archive);
      }
    }
    if (found_.images.size() == before) found_.bare[name];
  }

  void add_flat(LabeledFile file, const std::string& place) {
    const std::string folder = class_in_name(file.path);
    if (folder.empty()) return add("", place, std::move(file), /*is_flat=*/true);
    flat_places_.insert(place);  // the images of a class may be spread over archives
    add(folder, split_ + "/*_" + folder + ".*", std::move(file), /*is_flat=*/true);
  }

  void add(const std::string& folder, const std::string& place, LabeledFile file,
           bool is_flat = false) {
    const auto [known, is_new] = places_.try_emplace(folder, place);
    if (known->second != place) {
      refuse_twice(folder.empty() ? "the images lie" : "class '" + folder + "' lies", known->second,
                   place);
    }
    found_.images.push_back({folder, std::move(file), is_flat});
  }

  [[noreturn]] void refuse_twice(const std::string& what, const std::string& one,
                                 const std::string& other) const {
    const std::string place = (root_ / split_).string();
    throw InputError(place + ": " + what + " both in " + one + " and in " + other +
                     ", so that images would count twice; move one of the two out of " + place);
  }

  // Of flat images in several places.
  void refuse_doubled_names() const {
    std::map<std::string, const std::string*> paths;
    for (const Image& image : found_.images) {
      if (!image.is_flat || image.folder.empty()) continue;
      const std::string name = fs::path(image.file.path).filename().string();
      const auto [known, is_new] = paths.try_emplace(name, &image.file.path);
      if (!is_new) refuse_twice(name + " lies", *known->second, image.file.path);
    }
  }

  void leave_out(const std::string& path, const std::string& reason) {
    qbitopt::leave_out(found_.left_out, {reason, path});
  }

  const fs::path root_;
  const std::string split_;
  const FoldersOptions& options_;
  ImageFolders found_;
  std::map<std::string, std::string> places_;  // folder -> the one place where its images may lie
  std::set<std::string> flat_places_;          // of images whose names say the class
};

}  // namespace

std::vector<std::string> ImageFolders::folders() const {
  std::set<std::string> folders;
  for (const Image& image : images) {
    if (!image.folder.empty()) folders.insert(image.folder);
  }
  return {folders.begin(), folders.end()};
}

std::string text_of(const LeftOut& what) {
  const std::string text = what.first + " " + what.reason;
  return what.count > 1 ? text + " (" + std::to_string(what.count - 1) + " more)" : text;
}

void leave_out(std::vector<LeftOut>& left_out, const LeftOut& what) {
  const auto known = std::find_if(left_out.begin(), left_out.end(), [&](const LeftOut& other) {
    return other.reason == what.reason;
  });
  if (known == left_out.end()) {
    left_out.push_back(what);
  } else {
    known->count += what.count;
  }
}

ImageFolders list_image_folders(const fs::path& root, const std::string& split,
                                const FoldersOptions& options) {
  return FoldersReader(root, split, options).read();
}

}  // namespace qbitopt
