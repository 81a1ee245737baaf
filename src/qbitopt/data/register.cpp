#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "qbitopt/data/batch_source.h"
#include "qbitopt/data/fashion_mnist.h"
#include "qbitopt/data/synthetic.h"

namespace qbitopt {
namespace {

// A worker opens one data set for many jobs: the images of each folder are read once.
class FashionMnistCache {
 public:
  FashionMnistImages get(const std::string& folder) {
    const std::lock_guard lock(mutex_);
    const auto found = images_.find(folder);
    if (found != images_.end()) return found->second;
    return images_.emplace(folder, read_fashion_mnist(folder)).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, FashionMnistImages> images_;
};

}  // namespace

void register_data_sets(DataSetRegistry& registry) {
  registry.add("fashion_mnist", [cache = std::make_shared<FashionMnistCache>()](
                                    const Parameters& parameters) {
    return make_fashion_mnist(cache->get(parameters.get<std::string>("root")), parameters);
  });
  registry.add("synthetic", make_synthetic);
}

}  // namespace qbitopt
