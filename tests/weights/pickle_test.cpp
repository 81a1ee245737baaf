#include "qbitopt/weights/pickle.h"

#include <gmock/gmock.h>

#include "qbitopt/weights/tensor_index.h"
#include "weights/files.h"

namespace qbitopt {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string refusal_of_pickle(const std::string& bytes) {
  try {
    Pickle pickle(bytes);
  } catch (const BadWeights& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// torch.save({"a.weight": torch.arange(6.).view(2, 3).t()}, file, pickle_protocol=...)
constexpr const char* kProtocol3 =
    "80037d71005808000000612e776569676874710163746f7263682e5f7574696c730a5f72656275696c645f7465"
    "6e736f725f76320a71022828580700000073746f72616765710363746f7263680a466c6f617453746f72616765"
    "0a71045801000000307105580300000063707571064b06747107514b004b034b028671084b014b038671098963"
    "636f6c6c656374696f6e730a4f726465726564446963740a710a2952710b74710c52710d732e";
constexpr const char* kProtocol4 =
    "8004959d000000000000007d948c08612e776569676874948c0c746f7263682e5f7574696c73948c125f726562"
    "75696c645f74656e736f725f763294939428288c0773746f72616765948c05746f726368948c0c466c6f617453"
    "746f726167659493948c0130948c03637075944b067494514b004b034b0286944b014b038694898c0b636f6c6c"
    "656374696f6e73948c0b4f7264657265644469637494939429529474945294732e";

TEST(PickleTest, ATensorIsAViewOfValuesInEveryProtocol) {
  for (const char* hex : {kProtocol3, kProtocol4}) {
    for (const char version : {'\3', '\4', '\5'}) {
      std::string bytes = from_hex(hex);
      bytes[1] = version;
      const Pickle pickle(bytes);
      const auto* dictionary = std::get<PickledDictionary*>(pickle.value());
      const PickledValue* value = dictionary->find("a.weight");
      ASSERT_NE(value, nullptr);
      const auto* tensor = std::get<const PickledTensor*>(*value);
      EXPECT_EQ(tensor->storage.type.name, "FloatStorage");
      EXPECT_EQ(tensor->storage.key, "0");
      EXPECT_THAT(tensor->shape, ElementsAre(3, 2));
      EXPECT_THAT(tensor->strides, ElementsAre(1, 3));
    }
  }
}

TEST(PickleTest, NothingInItIsRun) {
  const std::string bytes = "\x80\2}X\1\0\0\0acos\nsystem\nX\4\0\0\0fail\x85Rs."s;
  const Pickle pickle(bytes);
  const auto* dictionary = std::get<PickledDictionary*>(pickle.value());
  const auto* object = std::get<PickledDictionary*>(*dictionary->find("a"));
  EXPECT_EQ(object->type.module, "os");
  EXPECT_EQ(object->type.name, "system");
  EXPECT_TRUE(object->entries.empty());
}

// _rebuild_from_type_v2(maker, class, its arguments, attributes)
TEST(PickleTest, ATensorWithAttributesIsTheTensor) {
  const std::string maker = "ctorch._utils\n_rebuild_tensor_v2\n";
  const std::string tensor = weight_files::tensor({2}, {1});
  const std::string arguments = tensor.substr(maker.size(), tensor.size() - maker.size() - 1);
  const std::string bytes = "\x80\2ctorch._tensor\n_rebuild_from_type_v2\n(" + maker +
                            "cmine\nTensor\n" + arguments + "}tR.";
  const Pickle pickle(bytes);
  EXPECT_THAT(std::get<const PickledTensor*>(pickle.value())->shape, ElementsAre(2));
}

TEST(PickleTest, ValuesMayContainThemselvesAndLieDeep) {
  const std::string around = "\x80\2}q\0X\1\0\0\0ah\0s."s;
  const Pickle cycle(around);
  EXPECT_NE(std::get<PickledDictionary*>(cycle.value())->find("a"), nullptr);
  const std::string deep = "\x80\2)" + std::string(1'000'000, '\x85') + ".";
  EXPECT_TRUE(std::holds_alternative<const PickledTuple*>(Pickle(deep).value()));
}

TEST(PickleTest, WhatMakesNoSenseIsRefused) {
  EXPECT_THAT(refusal_of_pickle("\x80\2}"), HasSubstr("the pickle in it ends too early"));
  EXPECT_THAT(refusal_of_pickle("\x80\2."s), HasSubstr("takes more than it has"));
  EXPECT_THAT(refusal_of_pickle("\x80\2t."s), HasSubstr("has no mark"));
  EXPECT_THAT(refusal_of_pickle("\x80\2h\7."s), HasSubstr("asks for what it has not remembered"));
  EXPECT_THAT(refusal_of_pickle("\x80\2X\xff\xff\xff\xff."s), HasSubstr("ends too early"));
  EXPECT_THAT(refusal_of_pickle("\x80\2\x8d\xff\xff\xff\xff\xff\xff\xff\xff."s),
              HasSubstr("ends too early"));
  EXPECT_THAT(refusal_of_pickle("\x80\2I1\n."s), HasSubstr("unknown instruction 73 at byte 2"));
  EXPECT_THAT(refusal_of_pickle("\x80\2)Q."s), HasSubstr("names values in an unknown way"));
  const std::string wide = weight_files::tensor(std::vector<int32_t>(65, 1), {1});
  EXPECT_THAT(refusal_of_pickle("\x80\2" + wide + "."), HasSubstr("too many dimensions"));
}

}  // namespace
}  // namespace qbitopt
