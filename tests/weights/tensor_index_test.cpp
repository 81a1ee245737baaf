#include "qbitopt/weights/tensor_index.h"

#include <gmock/gmock.h>

#include "weights/files.h"

namespace qbitopt {
namespace {

using namespace weight_files;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refusal(const std::string& file) {
  try {
    index_tensors(file);
  } catch (const BadWeights& error) {
    return error.advice("IN", "OUT");
  }
  return "nothing was thrown";
}

std::vector<std::string> names(const std::string& file) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : index_tensors(file)) names.push_back(name);
  return names;
}

std::string entry(const std::string& shape, const std::string& offsets,
                  const std::string& type = "F32") {
  return R"({"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

const std::string kTensor = tensor({2, 3}, {3, 1});

TEST(TensorIndexTest, SafetensorsSayTypeShapeAndPlace) {
  const std::string header =
      R"({"a":)" + entry("[2,1]", "[8,16]") + R"(,"n":)" + entry("[]", "[0,8]", "I64") + "}";
  const TensorIndex tensors = index_tensors(safetensors(header, std::string(16, '\0')));
  ASSERT_EQ(tensors.size(), 2u);
  const StoredTensor& a = tensors.at("a");
  EXPECT_EQ(a.type, "F32");
  EXPECT_THAT(a.shape, ElementsAre(2, 1));
  EXPECT_THAT(a.strides, ElementsAre(1, 1));
  EXPECT_EQ(a.values.begin, 8 + header.size() + 8);
  EXPECT_EQ(a.values.size, 8u);
  EXPECT_EQ(tensors.at("n").elements(), 1);
}

TEST(TensorIndexTest, SafetensorsThatLieAboutThemselvesAreRefused) {
  const auto fault = [](const std::string& entry,
                        const std::string& values = std::string(8, '\0')) {
    return refusal(safetensors(R"({"a":)" + entry + "}", values));
  };
  EXPECT_THAT(fault(entry("[3]", "[0,8]")), HasSubstr("'a' of F32 [3] does not lie within the 8"));
  EXPECT_THAT(fault(entry("[1]", "[0,8]")), HasSubstr("has 8 bytes; its type and shape need 4"));
  EXPECT_THAT(fault(entry("[2]", "[0,8]", "F4")), HasSubstr("the unknown type F4"));
  EXPECT_THAT(fault(entry("[2]", "[8,0]")), HasSubstr("no begin and end"));
  EXPECT_THAT(fault(entry("[2]", "[0,8,9]")), HasSubstr("no begin and end"));
  EXPECT_THAT(fault(entry("[2]", "[4,12]")), HasSubstr("is cut off: its tensors need"));
  EXPECT_THAT(fault(entry("[-2]", "[0,8]")), HasSubstr("expected a whole number, found -2"));
  EXPECT_THAT(fault(entry("[1e30]", "[0,8]")), HasSubstr("expected a whole number"));
  EXPECT_THAT(fault(entry("[2]", "[0,18446744073709551615]")), HasSubstr("a whole number"));
  EXPECT_THAT(fault(entry("[2]", "[9223372036854775800,9223372036854775807]")),
              HasSubstr("cut off"));
  EXPECT_THAT(fault(entry("[9223372036854775807,9223372036854775807]", "[0,8]")),
              HasSubstr("more values than can be counted"));
  EXPECT_THAT(fault("3"), HasSubstr("header that cannot be read"));
  EXPECT_THAT(fault(std::string(100'000, '[')), HasSubstr("nested too deeply"));
  EXPECT_THAT(refusal(safetensors("[1,2]", "")), HasSubstr("it is no JSON object"));
  EXPECT_THAT(refusal(safetensors("{\"__metadata__\":{}}", "")), HasSubstr("holds no tensors"));
  EXPECT_THAT(refusal(safetensors(
                  R"({"a":)" + entry("[2]", "[0,8]") + R"(,"b":)" + entry("[2]", "[4,12]") + "}",
                  std::string(12, '\0'))),
              HasSubstr("tensors 'a' and 'b' lie over each other"));
}

TEST(TensorIndexTest, PyTorchsTensorsAreViewsOfValuesInTheZipFile) {
  const std::string file = torch_file(
      dictionary({{"a.weight", tensor({3, 2}, {1, 3})}, {"b.bias", tensor({2}, {1}, 4)}}));
  const TensorIndex tensors = index_tensors(file);
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_THAT(tensors.at("a.weight").shape, ElementsAre(3, 2));
  EXPECT_THAT(tensors.at("a.weight").strides, ElementsAre(1, 3));
  EXPECT_EQ(tensors.at("b.bias").offset, 4);
  EXPECT_EQ(tensors.at("b.bias").values.begin, tensors.at("a.weight").values.begin);
  EXPECT_EQ(tensors.at("b.bias").values.size, 24u);
}

TEST(TensorIndexTest, ACheckpointsTensorsLieOneLevelDown) {
  const std::string state = dictionary({{"a.weight", kTensor}, {"b.weight", kTensor}});
  const std::string wrapped =
      dictionary({{"module.a.weight", kTensor}, {"module.b.weight", kTensor}});
  const std::string averaged = dictionary({{"c.weight", kTensor}, {"d.weight", kTensor}});
  const std::pair<std::string, std::string> epoch = {"epoch", number(9)};
  for (const char* key : {"state_dict", "model_state_dict", "model", "net", "anything"}) {
    for (const std::string& inner : {state, wrapped, dictionary({{"state_dict", state}}),
                                     dictionary({{"lr", number(1)}, {"model", wrapped}})}) {
      EXPECT_THAT(names(torch_file(dictionary({epoch, {key, inner}, {"best_acc1", kTensor}}))),
                  ElementsAre("a.weight", "b.weight"))
          << key;
    }
  }
  for (const char* key : {"model_ema", "state_dict_ema", "optimizer"}) {
    EXPECT_THAT(names(torch_file(dictionary({{key, averaged}, {"model", state}}))),
                ElementsAre("a.weight", "b.weight"))
        << key;
  }
  EXPECT_THAT(names(torch_file(dictionary({{"a.weight", kTensor},
                                           {"b.weight", kTensor},
                                           {"extra", dictionary({{"c", kTensor}})}}))),
              ElementsAre("a.weight", "b.weight"));
}

TEST(TensorIndexTest, SeveralDictionariesOfTensorsAreNamed) {
  const std::string state = dictionary({{"a.weight", kTensor}});
  EXPECT_THAT(
      refusal(torch_file(dictionary({{"teacher", state}, {"student", state}}))),
      HasSubstr("holds 2 dictionaries of tensors, under 'student', 'teacher'; expected one"));
}

TEST(TensorIndexTest, WhatHoldsNoTensorsIsNamed) {
  EXPECT_THAT(refusal(torch_file(kTensor)), HasSubstr("holds a Tensor; expected a dictionary"));
  EXPECT_THAT(refusal(torch_file("c__main__\nNet\n)\x81}b")),
              HasSubstr("holds an object of the class __main__.Net; expected a dictionary of "
                        "tensors, as torch.save(model.state_dict(), file) writes it"));
  EXPECT_THAT(refusal(torch_file(dictionary({{"model", "c__main__\nNet\n)\x81}b"}}))),
              HasSubstr("holds no tensors by name, and under 'model' an object of the class "
                        "__main__.Net; expected"));
  EXPECT_THAT(refusal(torch_file(dictionary({{"epoch", number(3)}}))),
              HasSubstr("holds no tensors by name"));
  EXPECT_THAT(refusal(torch_file("]")), HasSubstr("holds no dictionary"));
  EXPECT_THAT(refusal(zip_file({{"word/document.xml", "<xml/>"}})),
              HasSubstr("a zip file without a data.pkl, so PyTorch did not write it"));
}

TEST(TensorIndexTest, WhatPyTorchAloneCanReadNamesTheConverter) {
  const std::string remedy =
      "; what PyTorch can read, this converts: .venv/bin/python tools/convert_weights.py IN OUT";
  const auto fault = [](const std::string& pickle) { return refusal(torch_file(pickle)); };
  EXPECT_EQ(refusal("\x80\x02\x8a\nl\xfc\x9c and so on"),
            "is a pickle as PyTorch wrote it before version 1.6, which is not read here" + remedy);
  EXPECT_EQ(
      fault(dictionary({{"a.weight", tensor({1}, {1}, 0, "0", "torch\nComplexFloatStorage")}})),
      "cannot be read: tensor 'a.weight' has the unknown type ComplexFloatStorage" + remedy);
  EXPECT_THAT(fault("I1\n"), HasSubstr(remedy));
  EXPECT_EQ(refusal(zip_file({{"net/data.pkl", "?"}}, /*method=*/8)),
            "cannot be read: 'net/data.pkl' in the zip file is compressed" + remedy);
  EXPECT_EQ(refusal(zip_file({{"net/data.pkl", "?"}, {"net/byteorder", "big"}})),
            "cannot be read: its values are big-endian" + remedy);
}

TEST(TensorIndexTest, APickleThatWouldTakeMuchMemoryIsRefused) {
  EXPECT_THAT(refusal(torch_file(std::string(17'000'000, ']'))),
              HasSubstr("its pickle has 17000003 bytes; expected at most 16000000"));
}

TEST(TensorIndexTest, ViewsThatLeaveTheirValuesAreRefused) {
  const auto fault = [](const std::string& tensor) {
    return refusal(torch_file(dictionary({{"a.weight", tensor}})));
  };
  const std::string outside = "tensor 'a.weight' of F32 ";
  EXPECT_THAT(fault(tensor({7}, {1})), HasSubstr(outside + "[7] does not lie within the 24 bytes"));
  EXPECT_THAT(fault(tensor({2}, {6})), HasSubstr(outside));
  EXPECT_THAT(fault(tensor({2}, {1}, 5)), HasSubstr(outside));
  EXPECT_THAT(fault(tensor({2}, {1}, -1)), HasSubstr(outside));
  EXPECT_THAT(fault(tensor({2}, {-1}, 5)), HasSubstr(outside));
  EXPECT_THAT(fault(tensor({-2}, {1})), HasSubstr(outside));
  EXPECT_THAT(fault(tensor({2, 2}, {1})), HasSubstr(outside));
  EXPECT_THAT(fault(tensor({1'000'000'000}, {0})), HasSubstr(outside));
  EXPECT_THAT(fault(tensor({2147483647, 2147483647, 2147483647}, {0, 0, 0})), HasSubstr(outside));
  EXPECT_THAT(fault(tensor({1}, {1}, 0, "7")), HasSubstr("the zip file holds no 'net/data/7'"));
  EXPECT_THAT(refusal(torch_file(dictionary({{"a.weight", tensor({1}, {1})}}), {"abc"})),
              HasSubstr("the 3 bytes of its values"));
}

TEST(TensorIndexTest, DamagedZipFilesAreRefusedWhereverTheyAreCut) {
  const std::string file = torch_file(dictionary({{"a.weight", kTensor}}));
  ASSERT_THAT(names(file), ElementsAre("a.weight"));
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_NE(refusal(file.substr(0, size)), "nothing was thrown") << size;
  EXPECT_THAT(refusal(file.substr(0, 200)),
              HasSubstr("is cut off: it begins as a zip file and does not end as one; the file has "
                        "200 bytes"));
  for (size_t i = 0; i < file.size(); ++i) {
    for (const char value : {'\0', '\x7f', '\xff'}) {
      std::string damaged = file;
      damaged[i] = value;
      refusal(damaged);  // read or refused, and nothing else
    }
  }
}

// All entries of the directory may point to the same bytes.
TEST(TensorIndexTest, ValuesThatAreMoreThanTheFileAreRefused) {
  std::vector<std::pair<std::string, std::string>> tensors;
  for (int i = 0; i < 100; ++i)
    tensors.emplace_back("a" + std::to_string(i) + ".weight",
                         tensor({1}, {1}, 0, std::to_string(i)));
  std::vector<std::string> storages(100);
  storages[99] = std::string(10'000, '\0');  // the last
  std::string file = torch_file(dictionary(tensors), storages);
  const std::string name = "net/data/";
  for (size_t at = file.find("PK\x01\x02"); at != std::string::npos;
       at = file.find("PK\x01\x02", at + 1)) {
    if (file.compare(at + 46, name.size(), name) != 0) continue;
    const uint32_t large = 10'000;
    file.replace(at + 20, 8, bytes(large) + bytes(large));
  }
  EXPECT_THAT(refusal(file), HasSubstr("its tensors' values lie over each other"));
}

TEST(TensorIndexTest, ATooSmallOrStrangeFileSaysWhatItHas) {
  EXPECT_EQ(refusal(""), "contains no weights: it has only 0 bytes");
  EXPECT_EQ(refusal(std::string(64, '\x7f')),
            "is neither safetensors nor PyTorch's zip file, or was cut off: its header would have "
            "9187201950435737471 bytes; the file has 64 bytes");
}

}  // namespace
}  // namespace qbitopt
