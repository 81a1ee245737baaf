#include "qbitopt/sweep/job_size.h"

namespace qbitopt {

JobSize size_of(const Job& job, const Catalog& catalog) {
  const Json& p = job.parameters;
  JobSize size;
  size.checkpoint_bytes = 4 * catalog.get("model", p.value("model", "")).weights;
  const bool is_fp32 = p.value("method", "") == "fp32";
  if (is_fp32 && p.contains("weights.root")) {
    size.images = 0;  // published weights, as they are
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
  return size;
}

}  // namespace qbitopt
