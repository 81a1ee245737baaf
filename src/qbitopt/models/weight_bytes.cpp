#include "qbitopt/models/weight_bytes.h"

namespace qbitopt {

int64_t weight_bytes(const Network& network) {
  int64_t bits = 0;
  for (const QuantizerSite* site : network.sites()) {
    if (site->spec().kind != TensorKind::kWeight) continue;
    bits += site->spec().elements * (site->quantizer() ? site->quantizer()->bits() : 32);
  }
  return (bits + 7) / 8;
}

}  // namespace qbitopt
