#include "qbitopt/sweep/weights_file.h"

#include <gmock/gmock.h>

#include "core/temporary_folder.h"
#include "weights/files.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

// Two inputs, and three weights before them.
Manifest small_model() {
  Manifest model;
  model.name = "net";
  model.head = "fc";
  model.weights = 3 + 1000 * (2 + 1);
  return model;
}

class MisfitOfWeightsTest : public ::testing::Test {
 protected:
  // Of a network of 4 classes with so many weights before the head.
  std::string misfit(int32_t weights, const std::string& head, int64_t classes) {
    using namespace weight_files;
    const std::string state = dictionary({{"module.conv.weight", tensor({weights}, {1})},
                                          {"module.bn.running_var", tensor({5}, {1})},
                                          {"module." + head + ".weight", tensor({4, 2}, {2, 1})},
                                          {"module." + head + ".bias", tensor({4}, {1})}});
    const auto file = folder_.write(
        "net.pth", torch_file(dictionary({{"state_dict", state}}), {std::string(64, '\0')}));
    return misfit_of_weights(file, small_model(), classes);
  }
  TemporaryFolder folder_;
};

TEST_F(MisfitOfWeightsTest, WeightsOfTheModelForTheDatasClassesFit) {
  EXPECT_EQ(misfit(3, "fc", 4), "");
}

TEST_F(MisfitOfWeightsTest, OtherClassesAreNamed) {
  EXPECT_THAT(misfit(3, "fc", 10),
              HasSubstr("is of a network for 4 classes (fc.weight is [4, 2]), but the data set has "
                        "10; give weights for 10 classes, or leave "
                        "weights.root out to train from scratch"));
}

TEST_F(MisfitOfWeightsTest, AnotherNetworkIsNamed) {
  EXPECT_EQ(misfit(3, "classifier", 4),
            "is of another network, or has no classifier: expected a matrix 'fc.weight', found "
            "tensors that begin with 'bn.running_var'");
  EXPECT_EQ(misfit(7, "fc", 4),
            "is of another network: with 4 classes 'net' has 15 weights, but the file has 19");
}

}  // namespace
}  // namespace qbitopt
