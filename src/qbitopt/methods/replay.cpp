#include "qbitopt/methods/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/methods/fixed_precision.h"

namespace qbitopt {

void Replay::start(MethodContext& context) {
  const std::string file = context.input("allocation");
  Json given = read_json(file);
  if (!given.is_object()) {
    throw InputError({file}, "expected a JSON object of quantizer names and bits");
  }
  std::vector<int> bits;
  for (const AllocationQuantizer& quantizer : context.problem().quantizers) {
    const Json value = given.value(quantizer.name, Json());
    if (!value.is_number_integer()) {
      throw InputError({file}, fmt::format("no bits for quantizer '{}'; is it an allocation of "
                                           "another network?",
                                           quantizer.name));
    }
    bits.push_back(value.get<int>());
    if (std::find(quantizer.bits.begin(), quantizer.bits.end(), bits.back()) ==
        quantizer.bits.end()) {
      throw InputError({file},
                       fmt::format("{} bits for quantizer '{}'; candidates: {}", bits.back(),
                                   quantizer.name, Json(quantizer.bits).dump()));
    }
    given.erase(quantizer.name);
  }
  if (!given.empty()) {
    throw InputError({file}, fmt::format("the network has no quantizer '{}'", given.begin().key()));
  }
  start_with_bits(context, bits);
}

}  // namespace qbitopt
