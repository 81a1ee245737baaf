#include "qbitopt/models/weights.h"

#include <caffe2/serialize/inline_container.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include "data/files.h"
#include "qbitopt/core/error.h"
#include "qbitopt/models/network.h"
#include "qbitopt/models/resnet.h"
#include "qbitopt/weights/wrappers.h"
#include "weights/files.h"

namespace qbitopt {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using torch::Tensor;
using weight_files::safetensors;

template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

class WeightsTest : public testing::Test {
 protected:
  // Writes a file and reads it as weights.
  StateDict read(const std::string& content) {
    write_raw(folder_ / "weights", content);
    return read_weights(folder_ / "weights");
  }
  TemporaryFolder folder_;
};

TEST_F(WeightsTest, SafetensorsAreReadByTypeShapeAndOffset) {
  const float values[] = {1, -2, 3, 4};
  const int64_t count = 7;
  std::string bytes(reinterpret_cast<const char*>(values), sizeof(values));
  bytes.append(reinterpret_cast<const char*>(&count), sizeof(count));
  // The header's length leaves the values at an odd address.
  const StateDict tensors = read(safetensors(
      R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
      R"("n":{"dtype":"I64","shape":[],"data_offsets":[16,24]},"__metadata__":{"by":"me"}})",
      bytes));
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_TRUE(torch::equal(tensors.at("a"), torch::tensor({{1.f, -2.f}, {3.f, 4.f}})));
  EXPECT_EQ(tensors.at("n").item<int64_t>(), 7);
}

// Its length, 128 = 0x80, begins like a pickle.
TEST_F(WeightsTest, AHeaderOf128BytesIsNoPickle) {
  std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  header.resize(128, ' ');
  EXPECT_EQ(read(safetensors(header, "x")).at("a").item<int64_t>(), 'x');
}

TEST_F(WeightsTest, DamagedFilesAreRefusedWithNameAndReason) {
  EXPECT_THAT(message_of([&] { read("short"); }),
              HasSubstr("weights: contains no weights: it has only 5 bytes"));
  EXPECT_THAT(message_of([&] { read(std::string(64, '\x7f')); }),
              HasSubstr("is neither safetensors nor PyTorch's zip file, or was cut off: its header "
                        "would have 9187201950435737471 bytes; the file has 64"));
  EXPECT_THAT(message_of([&] { read(safetensors("{\"a\":", "")); }),
              HasSubstr("has a safetensors header that cannot be read"));
  EXPECT_THAT(
      message_of([&] {
        read(safetensors(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", "12345678"));
      }),
      HasSubstr("is cut off"));
  EXPECT_THAT(message_of([&] {
                read(safetensors(R"({"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}})", "12"));
              }),
              HasSubstr("tensor 'a' has the unknown type F4"));
}

// As PyTorch's own reader does not.
TEST_F(WeightsTest, AFlippedBitInAZipFileIsFound) {
  std::string file = to_state_file({{"fc.weight", torch::ones({100})}});
  ASSERT_EQ(read(file).size(), 1u);
  file[file.find(std::string(reinterpret_cast<const char*>(torch::ones({4}).data_ptr()), 16))] ^= 1;
  EXPECT_THAT(message_of([&] { read(file); }), HasSubstr("is damaged: the checksum of its bytes"));
}

TEST_F(WeightsTest, AZipFileIsReadWhereverTheDictionaryLies) {
  c10::impl::GenericDict tensors(c10::StringType::get(), c10::TensorType::get());
  tensors.insert("module.fc.weight", torch::arange(6.0).view({2, 3}));
  c10::impl::GenericDict checkpoint(c10::StringType::get(), c10::AnyType::get());
  checkpoint.insert("epoch", 3);
  checkpoint.insert("state_dict", tensors);
  for (const c10::IValue& content : {c10::IValue(tensors), c10::IValue(checkpoint)}) {
    const std::vector<char> bytes = torch::jit::pickle_save(content);
    const StateDict read_back = read(std::string(bytes.begin(), bytes.end()));
    ASSERT_EQ(read_back.size(), 1u);
    EXPECT_TRUE(torch::equal(read_back.at("fc.weight"), torch::arange(6.0).view({2, 3})));
  }
}

// A pickle as Python writes it for a module's state: an OrderedDict with an attribute, tensors that
// share a storage, and something that only Python knows.
TEST_F(WeightsTest, APythonStateIsReadWithoutRunningAnything) {
  const float values[] = {0, 1, 2, 3, 4, 5};
  const std::string tensor =
      "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"
      "0"
      "X\x03\0\0\0cpuK\x06tQK"s;
  const std::string hooks =
      "\x89"
      "ccollections\nOrderedDict\n)RtR"s;
  const std::string pickle =
      "\x80\x02"
      "ccollections\nOrderedDict\nq\0)Rq\x01("s +  //
      "X\x01\0\0\0a"s +
      tensor + "\0K\x02K\x02\x86K\x03K\x01\x86"s + hooks +            // [2, 2] of rows of 3
      "X\x01\0\0\0b"s + tensor + "\x05K\x01\x85K\x01\x85"s + hooks +  //
      "X\x01\0\0\0c"
      "cos\nsystem\nX\x04\0\0\0fail\x85R"
      "u}X\t\0\0\0_metadataK\x01sb."s;
  caffe2::serialize::PyTorchStreamWriter zip((folder_ / "state.pth").string());
  zip.writeRecord("data.pkl", pickle.data(), pickle.size());
  zip.writeRecord("data/0", values, sizeof(values));
  zip.writeEndOfFile();
  const StateDict tensors = read_weights(folder_ / "state.pth");
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_TRUE(torch::equal(tensors.at("a"), torch::tensor({{0.f, 1.f}, {3.f, 4.f}})));
  EXPECT_TRUE(torch::equal(tensors.at("b"), torch::tensor({5.f})));
}

TEST_F(WeightsTest, AnOlderPickleNamesTheConverter) {
  EXPECT_THAT(message_of([&] { read("\x80\x02\x8a\nl\xfc\x9c"); }),
              testing::AllOf(HasSubstr("is a pickle as PyTorch wrote it before version 1.6"),
                             HasSubstr("tools/convert_weights.py " + folder_.string())));
}

TEST_F(WeightsTest, WhatIsNoDictionaryOfTensorsIsRefused) {
  const std::vector<char> bytes = torch::jit::pickle_save(c10::IValue(torch::ones({2})));
  EXPECT_THAT(message_of([&] { read(std::string(bytes.begin(), bytes.end())); }),
              HasSubstr("holds a Tensor; expected a dictionary of tensors"));
  EXPECT_THAT(message_of([&] { read("PK\x03\x04 and then nothing of the kind"); }),
              HasSubstr("is cut off: it begins as a zip file"));
  EXPECT_THAT(message_of([&] { read_weights(folder_ / "absent.pth"); }),
              HasSubstr("absent.pth: no such file"));
}

TEST(LoadStateTest, CopiesEveryParameterAndBufferAndNeedsNoBatchCounter) {
  const auto from = make_resnet(resnet8_shape(), {.seed = 1});
  const auto to = make_resnet(resnet8_shape(), {.seed = 2});
  from->named_buffers()["bn1.running_mean"].fill_(3);
  StateDict weights = state_of(*from);
  std::erase_if(weights,
                [](const auto& item) { return item.first.ends_with("num_batches_tracked"); });
  load_state(*to, weights, "here");
  for (const auto& [name, tensor] : state_of(*to)) {
    if (!weights.contains(name)) continue;
    EXPECT_TRUE(torch::equal(tensor, weights.at(name))) << name;
  }
}

TEST(LoadStateTest, NamesAndShapesThatDisagreeAreNamedAndNothingIsCopied) {
  const auto network = make_resnet(resnet8_shape(), {});
  const Tensor before = network->layer_sites()[0].latent.clone();
  StateDict weights = state_of(*make_resnet(resnet8_shape(), {.seed = 3}));
  weights.erase("conv1.weight");
  weights["stem.weight"] = torch::ones({1});
  EXPECT_THAT(message_of([&] { load_state(*network, weights, "file.pth"); }),
              HasSubstr("file.pth does not fit the network; missing: conv1.weight; not in the "
                        "network: stem.weight"));
  weights = state_of(*make_resnet(resnet8_shape(), {.classes = 7, .seed = 3}));
  EXPECT_THAT(message_of([&] { load_state(*network, weights, "file.pth"); }),
              HasSubstr("fc.bias is [7], expected [10]"));
  EXPECT_TRUE(torch::equal(network->layer_sites()[0].latent, before));
}

TEST(LoadStateTest, NamesBehindAPrefixBesideOthersSayHowToTakeThemOut) {
  const auto network = make_resnet(resnet8_shape(), {});
  StateDict weights;
  for (const auto& [name, tensor] : state_of(*network)) weights["model." + name] = tensor;
  weights["criterion.weight"] = torch::ones({10});
  EXPECT_THAT(message_of([&] { load_state(*network, weights, "file.pth"); }),
              HasSubstr("what is missing stands behind the prefix 'model.', beside other names; to "
                        "take it out: .venv/bin/python tools/convert_weights.py file.pth "
                        "OUT.safetensors --prefix model."));
}

TEST(LoadStateTest, WhatIsNoNumberIsRefusedByName) {
  const auto network = make_resnet(resnet8_shape(), {.seed = 1});
  const Tensor before = network->layer_sites()[0].latent.clone();
  const auto fault = [&](const std::string& name, float value) {
    StateDict weights;
    for (const auto& [own, tensor] : state_of(*make_resnet(resnet8_shape(), {.seed = 2})))
      weights[own] = tensor.clone();
    weights[name].view(-1)[3] = value;
    return message_of([&] { load_state(*network, weights, "file.pth"); });
  };
  EXPECT_THAT(
      fault("layer2.0.bn1.running_var", NAN),
      HasSubstr("file.pth: 'layer2.0.bn1.running_var' holds NaN (1 of 32 values); no answer "
                "can come of that"));
  EXPECT_THAT(fault("fc.weight", -INFINITY), HasSubstr("'fc.weight' holds infinity (1 of 640"));
  EXPECT_THAT(fault("bn1.running_var", -1),
              HasSubstr("'bn1.running_var' holds a negative variance"));
  EXPECT_EQ(fault("bn1.running_mean", -1), "nothing was thrown");
  EXPECT_FALSE(torch::equal(network->layer_sites()[0].latent, before));
}

TEST(NonFiniteTest, QuantizersMayHoldInfinityAndNoNaN) {
  EXPECT_EQ(non_finite_in({{"fc.weight_quantizer.allowed", torch::full({2}, -INFINITY)}}), "");
  EXPECT_EQ(non_finite_in({{"fc.weight_quantizer.range", torch::full({2}, NAN)}}),
            "'fc.weight_quantizer.range' holds NaN (2 of 2 values)");
}

TEST(NetworkNamesTest, NoNetworksOwnNamesLookWrapped) {
  NetworkRegistry registry("model");
  register_networks(registry);
  for (const std::string& model : registry.names()) {
    TensorIndex tensors;
    for (const auto& [name, tensor] : state_of(*registry.make(model, {}))) tensors[name] = {};
    const TensorIndex unwrapped = without_wrappers(tensors);
    ASSERT_EQ(unwrapped.size(), tensors.size()) << model;
    for (const auto& [name, tensor] : tensors) EXPECT_TRUE(unwrapped.contains(name)) << name;
  }
}

}  // namespace
}  // namespace qbitopt
