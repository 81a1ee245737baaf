#include "qbitopt/models/efficientnet_lite.h"
#include "qbitopt/models/mobilenet_v2.h"
#include "qbitopt/models/mobilenet_v3.h"
#include "qbitopt/models/network.h"
#include "qbitopt/models/resnet.h"

namespace qbitopt {
namespace {

void add_resnet(NetworkRegistry& registry, const std::string& name, const ResNetShape& shape) {
  registry.add(name,
               [shape](const NetworkOptions& options) { return make_resnet(shape, options); });
}

void add_mobilenet_v2(NetworkRegistry& registry, const std::string& name,
                      const MobileNetV2Shape& shape) {
  registry.add(
      name, [shape](const NetworkOptions& options) { return make_mobilenet_v2(shape, options); });
}

}  // namespace

void register_networks(NetworkRegistry& registry) {
  registry.add("efficientnet_lite0",
               [](const NetworkOptions& options) { return make_efficientnet_lite0(options); });
  add_mobilenet_v2(registry, "mobilenet_v2", mobilenet_v2_shape());
  add_mobilenet_v2(registry, "mobilenet_v2_tiny", mobilenet_v2_tiny_shape());
  registry.add("mobilenet_v3_small",
               [](const NetworkOptions& options) { return make_mobilenet_v3_small(options); });
  add_resnet(registry, "resnet8", resnet8_shape());
  add_resnet(registry, "resnet18", resnet18_shape());
  add_resnet(registry, "resnet20", resnet20_shape());
  add_resnet(registry, "resnet50", resnet50_shape());
}

}  // namespace qbitopt
