#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "qbitopt/data/batch_source.h"
#include "qbitopt/data/fashion_mnist.h"
#include "qbitopt/data/imagenet.h"
#include "qbitopt/data/synthetic.h"
#include "qbitopt/data/tensors.h"

namespace qbitopt {
namespace {

// A worker opens one data set for many jobs: each folder is read or listed once.
template <typename Key, typename Content>
class Cache {
 public:
  template <typename Read>
  Content get(const Key& key, Read read) {
    const std::lock_guard lock(mutex_);
    const auto found = contents_.find(key);
    return found != contents_.end() ? found->second : contents_.emplace(key, read()).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<Key, Content> contents_;
};

}  // namespace

void register_data_sets(DataSetRegistry& registry) {
  registry.add("fashion_mnist",
               [cache = std::make_shared<Cache<std::string, FashionMnistImages>>()](
                   const Parameters& parameters) {
                 const auto root = parameters.get<std::string>("root");
                 return make_fashion_mnist(
                     cache->get(root, [&] { return read_fashion_mnist(root); }), parameters);
               });
  using Listed = std::shared_ptr<const ImageNetFiles>;
  using RootAndClasses = std::pair<std::string, int64_t>;
  registry.add("imagenet", [cache = std::make_shared<Cache<RootAndClasses, Listed>>()](
                               const Parameters& parameters) {
    const auto root = parameters.get<std::string>("root");
    const auto classes = parameters.get<int64_t>("classes");
    const Listed files = cache->get({root, classes}, [&] {
      return std::make_shared<const ImageNetFiles>(list_imagenet(root, classes));
    });
    return make_imagenet(files, parameters);
  });
  registry.add("synthetic", make_synthetic);
  registry.add("tensors", [cache = std::make_shared<Cache<std::string, TensorSamples>>()](
                              const Parameters& parameters) {
    const auto root = parameters.get<std::string>("root");
    return make_tensors(cache->get(root, [&] { return read_tensors(root); }), parameters);
  });
}

}  // namespace qbitopt
