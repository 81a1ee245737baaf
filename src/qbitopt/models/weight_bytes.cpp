#include "qbitopt/models/weight_bytes.h"

#include <set>

namespace qbitopt {

int64_t weight_bytes(const Network& network) {
  int64_t bits = 0;
  for (const QuantizerSite* site : network.sites()) {
    if (site->spec().kind != TensorKind::kWeight) continue;
    bits += site->spec().elements * (site->quantizer() ? site->quantizer()->bits() : 32);
  }
  std::set<const void*> seen;  // tied weights
  for (const LayerSites& layer : network.layer_sites()) {
    const bool is_float = !layer.weight && layer.latent.defined();
    if (is_float && seen.insert(layer.latent.data_ptr()).second) bits += 32 * layer.latent.numel();
  }
  return (bits + 7) / 8;
}

}  // namespace qbitopt
