#include "worker/predict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <new>
#include <span>
#include <sstream>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/data/exif.h"
#include "qbitopt/data/image_crops.h"
#include "qbitopt/data/imagenet.h"
#include "qbitopt/data/resize.h"
#include "qbitopt/files/imagenet_classes.h"
#include "qbitopt/models/graph_network.h"
#include "qbitopt/models/network.h"
#include "qbitopt/models/state_file.h"
#include "qbitopt/models/weights.h"
#include "qbitopt/quant/uniform_quantizer.h"
#include "worker/arguments.h"
#include "worker/trained_network.h"

namespace qbitopt::worker {
namespace {

constexpr int64_t kTop = 5;
// Ranges are calibrated on at most this many photographs, so that memory does not grow with their
// number.
constexpr size_t kMostForRanges = 64;

enum Status { kAllAnswered = 0, kNoneAnswered = 2, kSomeAnswered = 3 };

// What becomes of a photograph before the network reads it; ImageNet's test images unless a job, a
// .pt2 file or the user says otherwise.
struct Preparation {
  int size = 224, resize = 256;  // of the square that is cut out; of the shorter side before that
  Normalization normalization = kImageNetNormalization;
};

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

// [1, 3, size, size]: upright, as a test image.
torch::Tensor read_image(const std::string& file, const Preparation& preparation) {
  const int size = preparation.size;
  const std::string content = read_photograph(file);
  const std::span bytes(reinterpret_cast<const uint8_t*>(content.data()), content.size());
  const Orientation orientation = exif_orientation(bytes);
  const auto middle = [&](const ImageSize& stored) {
    Crop crop = center_crop(orientation.upright(stored), preparation.resize, size);
    crop.box = orientation.stored(crop.box, stored);
    return crop;
  };
  DecodedCrop decoded;
  try {
    decode_crop(bytes, middle, size, decoded);
  } catch (const BadImage& error) {
    throw InputError(file + ": " + error.what());
  } catch (const std::bad_alloc&) {
    throw InputError(file + ": there is not enough memory for its pixels");
  }
  torch::Tensor image =
      torch::empty({1, 3, size, size}, torch::TensorOptions(torch::MemoryFormat::ChannelsLast));
  resize_crop(decoded, size, false, preparation.normalization, image.data_ptr<float>());
  if (orientation.is_transposed) image = image.transpose(2, 3);
  if (orientation.is_mirrored) image = image.flip(3);
  if (orientation.is_upside_down) image = image.flip(2);
  return image.contiguous(torch::MemoryFormat::ChannelsLast);
}

// Calls `use` with one photograph after another, and `on_fault` for those that cannot be read.
// Returns how many were read.
template <typename Use, typename OnFault>
size_t for_each_image(const std::vector<std::string>& files, const Preparation& preparation,
                      Use use, OnFault on_fault) {
  size_t read = 0;
  for (const std::string& file : files) {
    torch::Tensor image;
    try {
      image = read_image(file, preparation);
    } catch (const InputError& error) {
      on_fault(error.what());
      continue;
    }
    ++read;
    use(file, image);
  }
  return read;
}

// What is asked, with the job's quantizers or with those of an allocation.
struct Classifier {
  std::unique_ptr<Network> network;
  Preparation preparation;
  UniformQuantizerOptions quantizers;
};

// Three numbers, or one for all.
std::array<float, 3> three(const std::vector<double>& values) {
  const auto at = [&](size_t c) {
    return static_cast<float>(values.at(values.size() == 1 ? 0 : c));
  };
  return {at(0), at(1), at(2)};
}

void expect_photographs(const std::vector<int64_t>& shape, const std::string& file) {
  const bool fits = shape.size() == 3 && (shape[0] == 3 || shape[0] < 0) && shape[1] == shape[2];
  if (fits) return;
  throw InputError(
      fmt::format("{}: takes samples of {}; predict needs a network for photographs, "
                  "with 3 channels and as high as wide",
                  file, fmt::join(shape, "x")));
}

// As the job prepared its test images.
Preparation preparation_of(const Job& job, const std::string& file) {
  const ImageFormat format = image_format_of(job);
  const auto& shape = format.shape;
  if (shape.size() == 3 && shape[0] != 3) {
    throw InputError(
        fmt::format("{}: this network takes images with {} channel(s), but photographs have 3; "
                    "predict needs a network for photographs",
                    file, shape[0]));
  }
  expect_photographs(shape, file);
  const Parameters parameters(job.parameters);
  const int size = static_cast<int>(shape[1]);
  return {size,
          test_resize(parameters.below("data"), size),
          {three(format.mean), three(format.deviation)}};
}

// "0.5,0.5,0.5".
std::array<float, 3> pixel_values(const Arguments& arguments, const std::string& name,
                                  const std::array<float, 3>& usual) {
  if (!arguments.has(name)) return usual;
  const std::string& text = arguments.required(name);
  std::vector<double> values;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    const bool is_number = !word.empty() && *end == '\0';
    if (is_number && value >= (name == "deviation" ? 1e-4 : 0) && value <= 1)
      values.push_back(value);
  }
  if (values.size() != 3 || std::count(text.begin(), text.end(), ',') != 2) {
    throw InputError(
        fmt::format("--{} takes three numbers from {} to 1, as in 0.5,0.5,0.5; found '{}'", name,
                    name == "deviation" ? "0.0001" : "0", text));
  }
  return three(values);
}

// Of a .pt2 file: its own size.
Preparation preparation_of(const Arguments& arguments, const std::vector<int64_t>& image_shape,
                           const std::string& file) {
  Preparation preparation;
  preparation.normalization = {
      pixel_values(arguments, "mean", kImageNetNormalization.mean),
      pixel_values(arguments, "deviation", kImageNetNormalization.deviation)};
  expect_photographs(image_shape, file);
  if (image_shape[1] > 0) {
    preparation.size = static_cast<int>(image_shape[1]);
    preparation.resize = preparation.size * 256 / 224;
  }
  return preparation;
}

void attach(QuantizerSite& site, int bits, const UniformQuantizerOptions& options) {
  const auto quantizer = std::make_shared<UniformQuantizer>(site.spec(), options);
  quantizer->set_bits(bits);
  site.attach(quantizer);
}

void attach_stored(Network& network, const StateDict& weights) {
  for (QuantizerSite* site : network.sites()) {
    const bool is_weight = site->spec().kind == TensorKind::kWeight;
    const std::string& name = site->spec().name;
    const std::string layer = name.substr(0, name.rfind('.'));
    if (weights.count(layer + (is_weight ? ".weight" : ".input") + "_quantizer.range"))
      attach(*site, 8, {});
  }
}

// Attaches the quantizers of the allocation and calibrates their ranges on the photographs.
void attach_allocation(const Classifier& classifier, const std::string& file,
                       const std::vector<std::string>& photographs) {
  Network& network = *classifier.network;
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
      attach(*site, given.get<int>(), classifier.quantizers);
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
      classifier.preparation,
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

// A network that no job is known of: published weights, or a .pt2 file.
Classifier read_published(const Arguments& arguments) {
  Classifier classifier;
  const std::string& model = arguments.required("model");
  const bool has_weights = arguments.has("weights"), is_file = names_graph_file(model);
  const bool has_allocation = arguments.has("allocation");
  const std::string file = has_weights ? arguments.required("weights") : "";
  StateDict weights;
  std::vector<int64_t> image_shape = {3, -1, -1};
  NetworkOptions options{.classes = 1000, .image_channels = 3};
  options.placement.products = arguments.has("products");
  if (is_file) {
    const Graph graph = read_graph(model);
    image_shape = graph.image_shape();
    options.classes = graph.classes();
    classifier.network = read_graph_network(model, options);
    if (has_weights) weights = read_weights(file, *classifier.network);
  } else if (has_weights) {
    weights = read_weights(file);
    classifier.network = make_built_in(model, weights, options);
  } else {
    NetworkRegistry registry("model");
    register_networks(registry);
    classifier.network = registry.make(model, options);
    std::cerr << fmt::format(
        "warning: without --weights FILE the weights are random, and so are the classes; `qbitopt "
        "models {}` names the file of published weights\n",
        model);
  }
  classifier.preparation = preparation_of(arguments, image_shape, model);
  const auto is_quantizers = [](const auto& entry) { return is_of_quantizer(entry.first); };
  if (has_allocation) {  // its quantizers replace stored ones
    std::erase_if(weights, is_quantizers);
  } else if (std::any_of(weights.begin(), weights.end(), is_quantizers)) {
    std::cerr << fmt::format(
        "warning: {} holds quantizers, and no job.json beside it says how they were trained: "
        "grids, "
        "image size and normalization are taken to be the usual ones; --job JOB knows them\n",
        file);
    attach_stored(*classifier.network, weights);
  }
  if (has_weights) load_state(*classifier.network, weights, file);
  return classifier;
}

// What a job left.
Classifier read_trained(const Job& job, const Arguments& arguments) {
  for (const char* name : {"mean", "deviation", "products"}) {
    if (arguments.has(name))
      throw InputError(fmt::format("--{} is told by the job that trained the network", name));
  }
  const std::string& file = arguments.required("weights");
  const auto own = job.parameters.at("model").get<std::string>();
  std::string graph_file;
  if (!arguments.has("model") || names_graph_file(arguments.required("model"))) {
    graph_file = graph_file_of(arguments, job);
  } else if (const std::string& model = arguments.required("model"); model != own) {
    throw InputError(
        fmt::format("{}: the job that left this file trained '{}', not '{}'", file, own, model));
  }
  Classifier classifier;
  classifier.preparation = preparation_of(job, file);
  classifier.quantizers = UniformQuantizerOptions::from(Parameters(job.parameters));
  classifier.network = read_trained_network(
      job, graph_file, file,
      arguments.has("allocation") ? StoredQuantizers::kLeftOut : StoredQuantizers::kAttached);
  return classifier;
}

Classifier read_classifier(const Arguments& arguments) {
  const auto job = job_of(arguments);
  Classifier classifier = job ? read_trained(*job, arguments) : read_published(arguments);
  const int64_t size = classifier.preparation.size;
  classifier.network->measure({3, size, size});  // fails for a .pt2 file that takes others
  classifier.network->eval();
  if (arguments.has("allocation"))
    attach_allocation(classifier, arguments.required("allocation"), arguments.words);
  return classifier;
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
      Arguments::parse(words, {"job", "model", "weights", "allocation", "mean", "deviation"},
                       {"json", "logits", "products"});
  if (arguments.words.empty()) throw InputError("no image is given");
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  const Classifier classifier = read_classifier(arguments);
  Writer writer(arguments.has("json"));
  const size_t answered = for_each_image(
      arguments.words, classifier.preparation,
      [&](const std::string& file, const torch::Tensor& image) {
        writer.add(answer(file, classifier.network->forward(image)[0], arguments.has("logits")));
      },
      [](const std::string& fault) { std::cerr << "error: " << fault << std::endl; });
  writer.end();
  return answered == arguments.words.size() ? kAllAnswered
         : answered > 0                     ? kSomeAnswered
                                            : kNoneAnswered;
}

}  // namespace qbitopt::worker
