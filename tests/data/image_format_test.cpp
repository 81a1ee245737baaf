#include "qbitopt/data/image_format.h"

#include <gmock/gmock.h>

#include "core/errors.h"
#include "qbitopt/data/batch_source.h"
#include "qbitopt/data/synthetic.h"

namespace qbitopt {
namespace {

using testing::ElementsAre;

TEST(ImageFormatTest, IsThatOfTheImagesThatADataSetHandsOut) {
  const Parameters parameters(Json{{"classes", 3},
                                   {"image_channels", 2},
                                   {"image_size", 6},
                                   {"train_images", 8},
                                   {"validation_images", 2},
                                   {"test_images", 64},
                                   {"noise", 3.0},
                                   {"generator_seed", 0},
                                   {"augment", false},
                                   {"threads", 0}});
  const ImageFormat format = image_format("synthetic", parameters);
  const auto data = make_synthetic(parameters);
  EXPECT_EQ(format.shape, data->image_shape());
  Batch batch;
  data->once(Split::kTest, 64)->next(batch);
  // The brightest and the darkest pixels are 1 and 0.
  EXPECT_NEAR(batch.images.max().item<double>(), (1 - format.mean[1]) / format.deviation[1], 1e-6);
  EXPECT_NEAR(batch.images.min().item<double>(), (0 - format.mean[0]) / format.deviation[0], 1e-6);
}

TEST(ImageFormatTest, NeedsNoFiles) {
  const ImageFormat photographs = image_format("imagenet", Parameters(Json{{"image_size", 64}}));
  EXPECT_THAT(photographs.shape, ElementsAre(3, 64, 64));
  EXPECT_NEAR(photographs.mean[0], 0.485, 1e-6);
  EXPECT_NEAR(photographs.deviation[2], 0.225, 1e-6);
  const auto inception = [](const Json& mean) {
    return image_format("imagenet", Parameters(Json{{"image_size", 64},
                                                    {"pixel_mean", mean},
                                                    {"pixel_deviation", {0.5, 0.5, 0.5}}}));
  };
  EXPECT_THAT(inception({0.5, 0.5, 0.25}).mean, ElementsAre(0.5, 0.5, 0.25));
  EXPECT_THAT(inception({0.5, 0.5, 0.25}).deviation, ElementsAre(0.5, 0.5, 0.5));
  EXPECT_EQ(input_error([&] { inception({0.5}); }),
            "data.pixel_mean has 1 numbers; expected 3, for red, green and blue");
  EXPECT_THAT(image_format("fashion_mnist", Parameters()).shape, ElementsAre(1, 28, 28));
  EXPECT_EQ(input_error([] { image_format("nothing", Parameters()); }),
            "unknown data set 'nothing'");
}

}  // namespace
}  // namespace qbitopt
