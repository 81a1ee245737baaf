// photograph_pipeline FOLDER SECONDS THREADS: decodes, crops (RandomResizedCrop 224), mirrors and
// normalizes the folder's JPEG files over and over, and prints {"images", "wall_seconds",
// "cpu_seconds"}.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "qbitopt/data/image_bytes.h"
#include "qbitopt/data/image_crops.h"
#include "qbitopt/data/resize.h"
#include "qbitopt/files/imagenet_files.h"

namespace qbitopt {
namespace {

constexpr int kSize = 224;

std::vector<LabeledFile> jpeg_files(const std::filesystem::path& folder) {
  std::vector<LabeledFile> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      files.push_back({std::filesystem::relative(entry.path(), folder).string()});
  }
  return files;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: photograph_pipeline FOLDER SECONDS THREADS\n", stderr);
    return 2;
  }
  const auto files = jpeg_files(argv[1]);
  const double seconds = std::atof(argv[2]);
  const int threads = std::atoi(argv[3]);
  std::vector<int64_t> images(static_cast<size_t>(threads));
  const auto begun = std::chrono::steady_clock::now();
  const std::clock_t cpu_begun = std::clock();
  const auto wall = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  const auto work = [&](int thread) {
    std::vector<float> output(kSize * kSize * 3);
    DecodedCrop decoded;
    for (size_t i = static_cast<size_t>(thread); wall() < seconds;
         i += static_cast<size_t>(threads)) {
      Random random(0, "augmentation", 0, i);
      const bool mirrored = random.below(2) == 1;
      decode_crop(
          read_image(argv[1], files[i % files.size()]),
          [&](const ImageSize& image) { return random_resized_crop(image, 0.08, random); }, kSize,
          decoded);
      resize_crop(decoded, kSize, mirrored, kImageNetNormalization, output.data());
      ++images[static_cast<size_t>(thread)];
    }
  };
  std::vector<std::thread> workers;
  for (int thread = 0; thread < threads; ++thread) workers.emplace_back(work, thread);
  for (std::thread& worker : workers) worker.join();
  int64_t total = 0;
  for (const int64_t count : images) total += count;
  std::printf("{\"images\": %lld, \"wall_seconds\": %.6f, \"cpu_seconds\": %.6f}\n",
              static_cast<long long>(total), wall(),
              static_cast<double>(std::clock() - cpu_begun) / CLOCKS_PER_SEC);
  return 0;
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) { return qbitopt::main(argc, argv); }
