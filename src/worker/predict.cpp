#include "worker/predict.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/data/image_crops.h"
#include "qbitopt/data/imagenet_classes.h"
#include "qbitopt/data/resize.h"
#include "qbitopt/models/network.h"
#include "qbitopt/models/state_file.h"
#include "qbitopt/models/weights.h"
#include "qbitopt/quant/uniform_quantizer.h"
#include "worker/arguments.h"

namespace qbitopt::worker {
namespace {

constexpr int kSize = 224, kResize = 256;
constexpr int64_t kTop = 5;

// [images, 3, 224, 224], each as a test image of ImageNet.
torch::Tensor read_images(const std::vector<std::string>& files) {
  const torch::Tensor images = torch::empty({static_cast<int64_t>(files.size()), 3, kSize, kSize},
                                            torch::MemoryFormat::ChannelsLast);
  float* target = images.data_ptr<float>();
  for (const std::string& file : files) {
    if (std::filesystem::is_directory(file))
      throw InputError(file + ": is a folder; give the photographs in it, " + file + "/*");
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw InputError(file + ": no such file");
    const std::string bytes(std::istreambuf_iterator<char>(stream), {});
    DecodedCrop decoded;
    try {
      decode_crop(
          {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()},
          [](const ImageSize& size) { return center_crop(size, kResize, kSize); }, kSize, decoded);
    } catch (const BadImage& error) {
      throw InputError(file + ": " + error.what());
    }
    resize_crop(decoded, kSize, false, kImageNetNormalization, target);
    target += 3 * kSize * kSize;
  }
  return images;
}

// With as many classes as the weights have.
std::unique_ptr<Network> make_network(const std::string& model, const StateDict& weights,
                                      const std::string& file) {
  NetworkRegistry registry("model");
  register_networks(registry);
  NetworkOptions options{.classes = 1000, .image_channels = 3};
  auto network = registry.make(model, options);
  const auto head = weights.find(network->layers().back()->path() + ".weight");
  if (head != weights.end() && head->second.dim() == 2 && head->second.size(0) != options.classes) {
    options.classes = head->second.size(0);
    network = registry.make(model, options);
  }
  const auto stem = weights.find(network->layers().front()->path() + ".weight");
  if (stem != weights.end() && stem->second.dim() == 4 && stem->second.size(1) != 3) {
    throw InputError(fmt::format(
        "{}: this network takes images of {} channel(s); predict reads photographs, which have 3",
        file, stem->second.size(1)));
  }
  return network;
}

void attach(QuantizerSite& site, int bits) {
  const auto quantizer = std::make_shared<UniformQuantizer>(site.spec());
  quantizer->set_bits(bits);
  site.attach(quantizer);
}

void attach_stored(Network& network, const StateDict& weights) {
  for (QuantizerSite* site : network.sites()) {
    const bool is_weight = site->spec().kind == TensorKind::kWeight;
    const std::string& name = site->spec().name;
    const std::string layer = name.substr(0, name.rfind('.'));
    if (weights.count(layer + (is_weight ? ".weight" : ".input") + "_quantizer.range"))
      attach(*site, 8);
  }
}

void attach_allocation(Network& network, const std::string& file, const torch::Tensor& images) {
  Json bits = read_json(file);
  if (!bits.is_object())
    throw InputError({file}, "expected a JSON object of quantiser names and bits");
  for (QuantizerSite* site : network.sites()) {
    const std::string& name = site->spec().name;
    const Json given = bits.value(name, Json(site->spec().pinned_bits.value_or(8)));
    if (!given.is_number_integer()) {
      throw InputError({file}, fmt::format("'{}': expected a whole number of bits, found {}", name,
                                           given.dump()));
    }
    try {
      attach(*site, given.get<int>());
    } catch (const std::invalid_argument& error) {
      throw InputError({file}, error.what());
    }
    bits.erase(name);
  }
  if (!bits.empty())
    throw InputError({file}, fmt::format("the network has no quantiser '{}'", bits.begin().key()));
  for (QuantizerSite* site : network.sites()) site->quantizer()->begin_calibration();
  network.forward(images);
  for (QuantizerSite* site : network.sites()) site->quantizer()->end_calibration();
}

std::string class_name(int64_t index, int64_t classes) {
  const auto& known = imagenet_classes();
  return classes == static_cast<int64_t>(known.size()) ? known[static_cast<size_t>(index)].name
                                                       : "";
}

}  // namespace

int predict(const std::vector<std::string>& words) {
  const Arguments arguments =
      Arguments::parse(words, {"model", "weights", "allocation"}, {"json", "logits"});
  if (arguments.words.empty()) throw InputError("no image is given");
  const torch::NoGradGuard no_grad;
  const std::string& model = arguments.required("model");
  const bool has_weights = arguments.has("weights");
  const std::string file = has_weights ? arguments.required("weights") : "";
  const torch::Tensor images = read_images(arguments.words);
  torch::manual_seed(0);
  StateDict weights;
  if (has_weights) {
    weights = read_weights(file);
  } else {
    std::cerr << fmt::format(
        "warning: without --weights FILE the weights are random and the answer means nothing; "
        "`qbitopt models {}` says which file there is\n",
        model);
  }
  const auto network = make_network(model, weights, file);
  if (arguments.has("allocation")) {  // its quantisers take the place of stored ones
    std::erase_if(weights, [](const auto& entry) {
      return entry.first.find("_quantizer.") != std::string::npos;
    });
  } else {
    attach_stored(*network, weights);
  }
  if (has_weights) load_state(*network, weights, file);
  network->eval();
  if (arguments.has("allocation"))
    attach_allocation(*network, arguments.required("allocation"), images);

  const torch::Tensor logits = network->forward(images);
  const torch::Tensor probabilities = torch::softmax(logits, 1);
  const int64_t classes = logits.size(1);
  const auto [top, indices] = probabilities.topk(std::min(kTop, classes), 1);
  Json json = Json::array();
  for (size_t i = 0; i < arguments.words.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    Json entry = {{"image", arguments.words[i]}, {"top", Json::array()}};
    if (!arguments.has("json")) std::cout << arguments.words[i] << "\n";
    for (int64_t k = 0; k < top.size(1); ++k) {
      const int64_t index = indices[row][k].item<int64_t>();
      const double probability = top[row][k].item<double>();
      entry["top"].push_back(
          {{"index", index}, {"name", class_name(index, classes)}, {"probability", probability}});
      if (!arguments.has("json")) {
        std::cout << fmt::format("  {:6.2f}%  {:4}  {}\n", 100 * probability, index,
                                 class_name(index, classes));
      }
    }
    if (arguments.has("logits")) {
      const torch::Tensor values = logits[row].contiguous();
      entry["logits"] =
          std::vector<float>(values.data_ptr<float>(), values.data_ptr<float>() + classes);
      if (!arguments.has("json"))
        std::cout << fmt::format("  logits {}\n", Json(entry["logits"]).dump());
    }
    json.push_back(std::move(entry));
  }
  if (arguments.has("json")) std::cout << json.dump(2) << "\n";
  return 0;
}

}  // namespace qbitopt::worker
