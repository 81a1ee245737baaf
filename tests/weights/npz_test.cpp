#include "qbitopt/weights/npz.h"

#include <gmock/gmock.h>

#include "weights/npy.h"

namespace qbitopt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using weight_files::npy;
using weight_files::values;

std::string fault_of(const std::string& file) {
  try {
    read_npy(file);
  } catch (const BadWeights& error) {
    return error.what();
  }
  return "";
}

TEST(NpzTest, AnArrayIsFoundWithTypeShapeAndPlace) {
  const std::string numbers = values<float>({1, 2, 3, 4, 5, 6});
  const StoredTensor rows = read_npy(npy("<f4", "(2, 3)", numbers));
  EXPECT_EQ(rows.type, "F32");
  EXPECT_THAT(rows.shape, ElementsAre(2, 3));
  EXPECT_THAT(rows.strides, ElementsAre(3, 1));
  EXPECT_EQ(rows.offset * 4 % 64, 0);
  EXPECT_THAT(read_npy(npy("<f4", "(2, 3)", numbers, "True")).strides, ElementsAre(1, 2));
  EXPECT_THAT(read_npy(npy("<i8", "(1,)", values<int64_t>({7}))).shape, ElementsAre(1));
  EXPECT_THAT(read_npy(npy("|u1", "()", "x")).shape, ElementsAre());
}

TEST(NpzTest, WhatIsNoArrayIsToldWithTheReason) {
  const std::string good = npy("<f4", "(2,)", values<float>({1, 2}));
  const struct {
    std::string file;
    const char* reason;
  } cases[] = {
      {"", "does not begin as a .npy file"},
      {"PK\x03\x04", "does not begin as a .npy file"},
      {good.substr(0, 6), "version 0"},
      {good.substr(0, 9), "is cut off"},
      {good.substr(0, 30), "its header is cut off"},
      {good.substr(0, good.size() - 1), "does not lie within"},
      {npy(">f4", "(2,)", "01234567"), "of type '>f4'"},
      {npy("|O", "(2,)", "01234567"), "of type '|O'"},
      {npy("<f4", "(-1,)", ""), "no list of sizes"},
      {npy("<f4", "(2", "01234567"), "no list of sizes"},
      {npy("<f4", "(4611686018427387904, 4)", ""), "more values than can be counted"},
      {npy("<f4", "(99999999999999999999,)", ""), "no list of sizes"},
      {npy("<f4", "(2,)", "01234567", "Maybe"), "neither True nor False"},
  };
  for (const auto& [file, reason] : cases) EXPECT_THAT(fault_of(file), HasSubstr(reason));
  EXPECT_EQ(fault_of(good), "");
}

TEST(NpzTest, ArraysAreNamedPackedOrNot) {
  const std::map<std::string, std::string> entries = {
      {"x.npy", npy("<f4", "(2,)", values<float>({1, 2}))},
      {"folder/y.npy", npy("<i4", "(3,)", values<int32_t>({1, 2, 3}))},
      {"note.txt", "no array"}};
  for (const uint16_t method : {0, 8}) {
    const TensorIndex index = index_npz(weight_files::zip_file(entries, method));
    ASSERT_EQ(index.size(), 2u);
    EXPECT_EQ(index.at("x").type, "F32");
    EXPECT_THAT(index.at("folder/y").shape, ElementsAre(3));
    EXPECT_EQ(index.at("x").values.packed_size.has_value(), method == 8);
  }
  EXPECT_THROW(index_npz(weight_files::zip_file({{"x.npy", "no array"}})), BadWeights);
}

}  // namespace
}  // namespace qbitopt
