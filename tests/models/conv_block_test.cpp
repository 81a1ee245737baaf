#include "qbitopt/models/conv_block.h"

#include <gmock/gmock.h>

#include "qbitopt/models/initialization.h"

namespace qbitopt {
namespace {

// Two blocks, the first feeding the second or not.
class TwoBlocks : public Network {
 public:
  explicit TwoBlocks(bool joined)
      : Network(NetworkOptions{}),
        first_(*this, {.convolution = "a.0",
                       .batch_norm = "a.1",
                       .out_channels = 4,
                       .activation = Activation::kRelu6}),
        second_(*this, {.convolution = "b.0",
                        .batch_norm = "b.1",
                        .in_channels = 4,
                        .out_channels = 4,
                        .groups = 4}) {
    if (joined) first_.feeds(second_);
    initialize_convolutions(*this);
  }
  torch::Tensor forward(const torch::Tensor& images) override { return second_(first_(images)); }

 private:
  ConvBlock first_;
  ConvBlock second_;
};

TEST(ConvBlockTest, JoinedBlocksComputeWhatSeparateOnesDo) {
  TwoBlocks joined(true);
  TwoBlocks separate(false);
  const torch::Tensor images = torch::randn({2, 1, 6, 6});
  EXPECT_TRUE(torch::equal(joined.forward(images), separate.forward(images)));
  EXPECT_EQ(joined.layers()[1]->input_site().spec().absorbs, Activation::kRelu6);
  EXPECT_FALSE(joined.layers()[1]->input_site().spec().is_signed);
  EXPECT_EQ(separate.layers()[1]->input_site().spec().absorbs, Activation::kIdentity);
}

TEST(ConvBlockTest, EverythingStaysChannelsLastEvenWithOneChannel) {
  TwoBlocks network(true);
  for (QuantizedLayer* layer : network.layers()) {
    EXPECT_EQ(layer->weight.suggest_memory_format(), torch::MemoryFormat::ChannelsLast)
        << layer->path();
  }
  // One gray image has the same bytes in both formats: the weight decides.
  EXPECT_EQ(network.forward(torch::randn({2, 1, 6, 6})).suggest_memory_format(),
            torch::MemoryFormat::ChannelsLast);
}

TEST(ConvBlockTest, ConvolutionsStartWithHesDeviation) {
  TwoBlocks network(true);
  const auto block = ConvBlock(network, {.convolution = "c.0",
                                         .batch_norm = "c.1",
                                         .in_channels = 32,
                                         .out_channels = 64,
                                         .kernel = 3});
  initialize_convolutions(network);
  EXPECT_NEAR(block.layer().weight.std().item<double>(), std::sqrt(2.0 / (64 * 9)),
              0.02 * std::sqrt(2.0 / (64 * 9)));
  EXPECT_NEAR(block.layer().weight.mean().item<double>(), 0, 0.002);
}

}  // namespace
}  // namespace qbitopt
