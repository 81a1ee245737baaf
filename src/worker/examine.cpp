#include "worker/examine.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "qbitopt/core/encoding.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/data/image_bytes.h"
#include "qbitopt/data/image_file.h"
#include "qbitopt/files/imagenet_files.h"
#include "worker/arguments.h"

namespace qbitopt::worker {
namespace {

constexpr int kThumbnail = 32;  // decodes JPEGs at 1/8 of their size, all blocks of them
constexpr size_t kMostListed = 20;

struct Findings {
  size_t images = 0;
  size_t classes = 0;
  std::map<std::string, std::string> damaged;  // path -> what is wrong
};

std::string fault_of(const std::filesystem::path& root, const LabeledFile& file) {
  DecodedCrop decoded;
  const auto whole = [](const ImageSize& size) {
    return Crop{{0, 0, static_cast<double>(size.width), static_cast<double>(size.height)}};
  };
  try {
    decode_crop(read_image(root, file), whole, kThumbnail, decoded);
  } catch (const BadImage& error) {
    return error.what();
  }
  return "";
}

Findings look_at(const std::filesystem::path& root, const std::vector<LabeledFile>& files,
                 int threads) {
  Findings found{.images = files.size()};
  std::set<int64_t> labels;
  for (const LabeledFile& file : files) labels.insert(file.label);
  found.classes = labels.size();
  std::atomic<size_t> next{0};
  std::mutex mutex;
  const auto work = [&] {
    for (size_t i = next++; i < files.size(); i = next++) {
      const std::string fault = fault_of(root, files[i]);
      if (fault.empty()) continue;
      const std::lock_guard lock(mutex);
      found.damaged[files[i].path] = fault;
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  return found;
}

std::string describe(const std::string& name, const Findings& found, size_t published) {
  std::string text = fmt::format("{}: {} images in {} classes", name, found.images, found.classes);
  if (published > 0) {
    text +=
        found.images == published ? ", as published" : fmt::format("; published are {}", published);
  }
  text += fmt::format("; {} cannot be decoded\n", found.damaged.size());
  size_t listed = 0;
  for (const auto& [path, fault] : found.damaged) {
    if (++listed > kMostListed) break;
    text += fmt::format("  {}: {}\n", printable(path), fault);
  }
  if (found.damaged.size() > kMostListed)
    text += fmt::format("  and {} more (--json lists all)\n", found.damaged.size() - kMostListed);
  return text;
}

// "labels: 0 cat, 1 dog": in the order of texts, which for numbers is 0, 1, 10, 2.
std::string describe_labels(const std::vector<std::string>& names) {
  std::string text = "labels:";
  for (size_t label = 0; label < std::min(names.size(), kMostListed); ++label)
    text += fmt::format("{} {} -> {}", label > 0 ? "," : "", label, printable(names[label]));
  if (names.size() > kMostListed)
    text += fmt::format(" and {} more (--json lists all)", names.size() - kMostListed);
  return text + "\n";
}

Json as_json(const Findings& found, size_t published) {
  return {{"images", found.images},
          {"classes", found.classes},
          {"published_images", published > 0 ? Json(published) : Json()},
          {"damaged", found.damaged}};
}

}  // namespace

int examine(const std::vector<std::string>& words) {
  const Arguments arguments = Arguments::parse(words, {"data", "classes", "threads"}, {"json"});
  const int classes = arguments.number_or("classes", 1000, 2);
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int threads = arguments.number_or("threads", cores, 1, 1024);
  const ImageNetFiles files = list_imagenet(arguments.required("data"), classes);
  const bool is_imagenet = classes == 1000;
  const size_t train_published = is_imagenet ? kPublishedTrainImages : 0;
  const size_t validation_published = is_imagenet ? kPublishedValidationImages : 0;
  const Findings train = look_at(files.root, files.train, threads);
  const Findings validation = look_at(files.root, files.validation, threads);
  if (arguments.has("json")) {
    Json left_out = Json::array();
    for (const LeftOut& what : files.left_out)
      left_out.push_back({{"reason", what.reason}, {"first", what.first}, {"count", what.count}});
    const Json json = {{"train", as_json(train, train_published)},
                       {"val", as_json(validation, validation_published)},
                       {"labels", files.class_names},
                       {"left_out", left_out}};
    std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    std::cout << describe("train", train, train_published)
              << describe("val", validation, validation_published);
    for (const LeftOut& what : files.left_out)
      std::cout << "left out: " << printable(text_of(what)) << "\n";
    if (!is_imagenet) std::cout << describe_labels(files.class_names);
    std::cout << "Training skips images that cannot be decoded, and counts them.\n";
  }
  const bool is_complete = train.damaged.empty() && validation.damaged.empty() &&
                           (!is_imagenet || (train.images == train_published &&
                                             validation.images == validation_published));
  return is_complete ? 0 : 2;
}

}  // namespace qbitopt::worker
