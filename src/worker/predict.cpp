#include "worker/predict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <new>
#include <span>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/data/exif.h"
#include "qbitopt/data/image_crops.h"
#include "qbitopt/data/resize.h"
#include "qbitopt/files/imagenet_classes.h"
#include "qbitopt/models/graph_network.h"
#include "qbitopt/models/network.h"
#include "qbitopt/models/state_file.h"
#include "qbitopt/models/weights.h"
#include "qbitopt/quant/uniform_quantizer.h"
#include "worker/arguments.h"

namespace qbitopt::worker {
namespace {

constexpr int kSize = 224, kResize = 256;
constexpr int64_t kTop = 5;
// Ranges are calibrated on at most this many photographs, so that memory does not grow with their
// number.
constexpr size_t kMostForRanges = 64;

enum Status { kAllAnswered = 0, kNoneAnswered = 2, kSomeAnswered = 3 };

// Also from a pipe.
std::string read_photograph(const std::string& file) {
  std::error_code unknown;
  const auto kind = std::filesystem::status(file, unknown).type();
  if (kind == std::filesystem::file_type::directory)
    throw InputError(file + ": is a folder; name the photographs in it, " + file + "/*");
  if (kind == std::filesystem::file_type::not_found) throw InputError(file + ": no such file");
  if (kind == std::filesystem::file_type::character)
    throw InputError(file + ": is a device; expected a photograph");
  return read_bytes(file);
}

// [1, 3, 224, 224]: upright, as a test image of ImageNet.
torch::Tensor read_image(const std::string& file) {
  const std::string content = read_photograph(file);
  const std::span bytes(reinterpret_cast<const uint8_t*>(content.data()), content.size());
  const Orientation orientation = exif_orientation(bytes);
  const auto middle = [&](const ImageSize& stored) {
    Crop crop = center_crop(orientation.upright(stored), kResize, kSize);
    crop.box = orientation.stored(crop.box, stored);
    return crop;
  };
  DecodedCrop decoded;
  try {
    decode_crop(bytes, middle, kSize, decoded);
  } catch (const BadImage& error) {
    throw InputError(file + ": " + error.what());
  } catch (const std::bad_alloc&) {
    throw InputError(file + ": there is not enough memory for its pixels");
  }
  torch::Tensor image =
      torch::empty({1, 3, kSize, kSize}, torch::TensorOptions(torch::MemoryFormat::ChannelsLast));
  resize_crop(decoded, kSize, false, kImageNetNormalization, image.data_ptr<float>());
  if (orientation.is_transposed) image = image.transpose(2, 3);
  if (orientation.is_mirrored) image = image.flip(3);
  if (orientation.is_upside_down) image = image.flip(2);
  return image.contiguous(torch::MemoryFormat::ChannelsLast);
}

// Calls `use` with one photograph after another, and `on_fault` for those that cannot be read.
// Returns how many were read.
template <typename Use, typename OnFault>
size_t for_each_image(const std::vector<std::string>& files, Use use, OnFault on_fault) {
  size_t read = 0;
  for (const std::string& file : files) {
    torch::Tensor image;
    try {
      image = read_image(file);
    } catch (const InputError& error) {
      on_fault(error.what());
      continue;
    }
    ++read;
    use(file, image);
  }
  return read;
}

// Makes the network with the number of classes of the weights.
std::unique_ptr<Network> make_network(const std::string& model, const StateDict& weights,
                                      const std::string& file) {
  NetworkRegistry registry("model");
  register_networks(registry);
  NetworkOptions options{.classes = 1000, .image_channels = 3};
  auto network = registry.make(model, options);
  const std::vector<LayerSites> layers = network->layer_sites();
  const std::string first_weight = layers.front().weight->spec().name;
  const auto head = weights.find(layers.back().weight->spec().name);
  const auto is_of_this_network = [own = layers.back().latent](const torch::Tensor& weight) {
    return weight.dim() == 2 && weight.size(1) == own.size(1) && weight.size(0) > 0;
  };
  if (head != weights.end() && is_of_this_network(head->second)) {
    options.classes = head->second.size(0);
    network = registry.make(model, options);
  }
  const auto stem = weights.find(first_weight);
  if (stem != weights.end() && stem->second.dim() == 4 && stem->second.size(1) != 3) {
    throw InputError(
        fmt::format("{}: this network takes images with {} channel(s), but photographs have 3; "
                    "predict needs a network for photographs",
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

// Attaches the quantizers of the allocation and calibrates their ranges on the photographs.
void attach_allocation(Network& network, const std::string& file,
                       const std::vector<std::string>& photographs) {
  Json bits = read_json(file);
  if (!bits.is_object())
    throw InputError({file}, "expected a JSON object of quantizer names and bits");
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
    throw InputError({file}, fmt::format("the network has no quantizer '{}'", bits.begin().key()));
  for (QuantizerSite* site : network.sites()) site->quantizer()->begin_calibration();
  const size_t count = std::min(photographs.size(), kMostForRanges);
  std::string faults;
  const size_t read = for_each_image(
      {photographs.begin(), photographs.begin() + static_cast<std::ptrdiff_t>(count)},
      [&](const std::string&, const torch::Tensor& image) { network.forward(image); },
      [&](const std::string& fault) { faults += "\n  " + fault; });
  if (read == 0) {
    throw InputError(
        "ranges are calibrated on the first photographs, but none of them can be read:" + faults);
  }
  for (QuantizerSite* site : network.sites()) site->quantizer()->end_calibration();
}

std::string class_name(int64_t index, int64_t classes) {
  const auto& known = imagenet_classes();
  return classes == static_cast<int64_t>(known.size()) ? known[static_cast<size_t>(index)].name
                                                       : "";
}

std::unique_ptr<Network> load_network(const Arguments& arguments) {
  const std::string& model = arguments.required("model");
  const bool has_weights = arguments.has("weights"), is_file = names_graph_file(model);
  const std::string file = has_weights ? arguments.required("weights") : "";
  StateDict weights;
  std::unique_ptr<Network> network;
  if (is_file) {
    NetworkOptions options;
    options.classes = read_graph(model).classes();
    network = read_graph_network(model, options);
    network->measure({3, kSize, kSize});  // fails for other images
  }
  if (has_weights) {
    weights = is_file ? read_weights(file, *network) : read_weights(file);
  } else if (!is_file) {
    std::cerr << fmt::format(
        "warning: without --weights FILE the weights are random, and so are the classes; `qbitopt "
        "models {}` names the file of published weights\n",
        model);
  }
  if (!is_file) network = make_network(model, weights, file);
  if (arguments.has("allocation")) {  // its quantizers replace stored ones
    std::erase_if(weights, [](const auto& entry) {
      return entry.first.find("_quantizer.") != std::string::npos;
    });
  } else {
    attach_stored(*network, weights);
  }
  if (has_weights) load_state(*network, weights, file);
  network->eval();
  if (arguments.has("allocation"))
    attach_allocation(*network, arguments.required("allocation"), arguments.words);
  return network;
}

// {"image", "top": [{"index", "name", "probability"}, ...], "logits"}
Json answer(const std::string& file, const torch::Tensor& logits, bool with_logits) {
  if (!logits.isfinite().all().item<bool>()) {
    throw InputError(file +
                     ": the network's output is not a number, because values exceed float32; these "
                     "weights do not belong to this network");
  }
  const int64_t classes = logits.size(0);
  const auto [top, indices] = torch::softmax(logits, 0).topk(std::min(kTop, classes));
  Json answer = {{"image", file}, {"top", Json::array()}};
  for (int64_t k = 0; k < top.size(0); ++k) {
    const int64_t index = indices[k].item<int64_t>();
    answer["top"].push_back({{"index", index},
                             {"name", class_name(index, classes)},
                             {"probability", top[k].item<double>()}});
  }
  if (with_logits) {
    const torch::Tensor values = logits.contiguous();
    answer["logits"] =
        std::vector<float>(values.data_ptr<float>(), values.data_ptr<float>() + classes);
  }
  return answer;
}

std::string as_text(const Json& answer) {
  std::string text = answer["image"].get<std::string>() + "\n";
  for (const Json& top : answer["top"]) {
    text += fmt::format("  {:6.2f}%  {:4}  {}\n", 100 * top["probability"].get<double>(),
                        top["index"].get<int64_t>(), top["name"].get<std::string>());
  }
  if (answer.contains("logits")) text += fmt::format("  logits {}\n", answer["logits"].dump());
  return text;
}

// Writes each answer at once: as text, or as the next element of a JSON array.
class Writer {
 public:
  explicit Writer(bool is_json) : is_json_(is_json) {}

  void add(const Json& answer) {
    if (is_json_) {
      write((is_first_ ? "[\n  " : ",\n  ") + indented(answer));
    } else {
      write(as_text(answer));
    }
    is_first_ = false;
  }
  void end() {
    if (is_json_) write(is_first_ ? "[]\n" : "\n]\n");
  }

 private:
  static std::string indented(const Json& answer) {
    std::string text = answer.dump(2, ' ', false, Json::error_handler_t::replace);
    for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3)
      text.insert(at + 1, "  ");
    return text;
  }
  static void write(const std::string& text) {
    if (!(std::cout << text << std::flush))
      throw InputError("cannot write the answers: " + std::string(std::strerror(errno)));
  }

  bool is_json_;
  bool is_first_ = true;
};

}  // namespace

int predict(const std::vector<std::string>& words) {
  const Arguments arguments =
      Arguments::parse(words, {"model", "weights", "allocation"}, {"json", "logits"});
  if (arguments.words.empty()) throw InputError("no image is given");
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  const auto network = load_network(arguments);
  Writer writer(arguments.has("json"));
  const size_t answered = for_each_image(
      arguments.words,
      [&](const std::string& file, const torch::Tensor& image) {
        writer.add(answer(file, network->forward(image)[0], arguments.has("logits")));
      },
      [](const std::string& fault) { std::cerr << "error: " << fault << std::endl; });
  writer.end();
  return answered == arguments.words.size() ? kAllAnswered
         : answered > 0                     ? kSomeAnswered
                                            : kNoneAnswered;
}

}  // namespace qbitopt::worker
