#include "qbitopt/models/mobilenet_v2.h"
#include "qbitopt/models/network.h"
#include "qbitopt/models/resnet.h"

namespace qbitopt {

void register_networks(NetworkRegistry& registry) {
  registry.add("mobilenet_v2_tiny", [](const NetworkOptions& options) {
    return make_mobilenet_v2(mobilenet_v2_tiny_shape(), options);
  });
  registry.add("resnet8",
               [](const NetworkOptions& options) { return make_resnet(resnet8_shape(), options); });
  registry.add("resnet20", [](const NetworkOptions& options) {
    return make_resnet(resnet20_shape(), options);
  });
}

}  // namespace qbitopt
