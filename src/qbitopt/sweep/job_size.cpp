#include "qbitopt/sweep/job_size.h"

namespace qbitopt {
namespace {

// height and width, in pixels, of the images that speeds are given for
constexpr int64_t kPublishedSize = 224;

std::optional<double> h100_seconds(const Json& parameters, const Manifest& model, int64_t images) {
  const auto speed = model.facts.find("h100_images_per_second");
  if (parameters.value("device", "") != "cuda" || speed == model.facts.end()) return std::nullopt;
  const double size = parameters.value("data.image_size", kPublishedSize);
  return static_cast<double>(images) / static_cast<double>(speed->second) * (size * size) /
         (kPublishedSize * kPublishedSize);
}

}  // namespace

JobSize size_of(const Job& job, const Catalog& catalog) {
  const Json& p = job.parameters;
  JobSize size;
  const Manifest& model = catalog.get("model", p.value("model", ""));
  size.checkpoint_bytes = 4 * model.weights;
  const bool is_fp32 = p.value("method", "") == "fp32";
  const bool has_weights = p.contains("weights.root") || p.contains("model.file");
  if (is_fp32 && has_weights && !p.value("weights.train", false)) {
    size.images = 0;  // weights as they are
    size.h100_seconds = h100_seconds(p, model, 0);
    return size;
  }
  const std::string place = is_fp32 ? "pretraining." : "training.";
  const auto number = [&](const std::string& name) { return p.value(name, int64_t{0}); };
  if (const int64_t epochs = number(place + "epochs"); epochs > 0) {
    int64_t images = number("data.train_images");  // of made-up data
    if (images == 0) images = catalog.get("data", p.value("data.name", "")).train_images;
    if (images > 0) size.images = epochs * images;
  } else {
    size.images = number(place + "steps") * number(place + "batch_size");
  }
  if (size.images) size.h100_seconds = h100_seconds(p, model, *size.images);
  return size;
}

}  // namespace qbitopt
