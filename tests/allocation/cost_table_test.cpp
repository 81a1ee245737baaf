#include "qbitopt/allocation/cost_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "qbitopt/allocation/budget_arguments.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kHeader = "quantizer,group,weight,bits,cost\n";
const std::string kLayerHeader = "quantizer,group,weight,bits,cost,layer,macs\n";

// The message of the InputError that `call` throws.
template <typename Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(CostTableTest, ReadsARowPerQuantizerAndCandidate) {
  const AllocationTable table = AllocationTable::parse(kHeader +
                                                           "conv1,W,864,4,0.5\n"
                                                           "conv1,W,864,2,1e1\n"
                                                           "input,A,12,8,-3\n"
                                                           "conv1,W,864,8,inf\n",
                                                       "t.csv");
  ASSERT_EQ(table.quantizers.size(), 2u);
  EXPECT_EQ(table.quantizers[0].name, "conv1");
  EXPECT_EQ(table.quantizers[0].weight, 864);
  EXPECT_THAT(table.quantizers[0].bits, ElementsAre(2, 4, 8));
  EXPECT_THAT(table.quantizers[0].costs,
              ElementsAre(10, 0.5, std::numeric_limits<double>::infinity()));
  EXPECT_THAT(table.quantizers[1].costs, ElementsAre(-3));
  ASSERT_EQ(table.groups.size(), 2u);
  EXPECT_EQ(table.groups[1].name, "A");
  EXPECT_THAT(table.groups[1].members, ElementsAre(1));
  EXPECT_FALSE(table.has_layers);
}

// A column that had a gap is one of floats to pandas.
TEST(CostTableTest, WholeNumbersMayBeWrittenAsFloats) {
  const AllocationTable table = AllocationTable::parse(kLayerHeader +
                                                           "a,W,864.0,4.0,1,c1,50.0\n"
                                                           "a,W,864,8.0,0,c1,50\n"
                                                           "b,A,1e2,4,1,c1,\n",
                                                       "t.csv");
  EXPECT_EQ(table.quantizers[0].weight, 864);
  EXPECT_THAT(table.quantizers[0].bits, ElementsAre(4, 8));
  EXPECT_EQ(table.quantizers[1].weight, 100);
  EXPECT_EQ(table.layers[0].macs, 50);
}

TEST(CostTableTest, OtherEncodingsAreNamed) {
  std::string wide = "\xFF\xFE";
  for (const char c : kHeader) wide += {c, '\0'};
  EXPECT_THAT(message_of([&] { AllocationTable::parse(wide, "t.csv"); }),
              testing::HasSubstr("t.csv: is in UTF-16"));
  EXPECT_THAT(
      message_of([&] { AllocationTable::parse(kHeader + "r\xE9seau,W,1,4,1\n", "t.csv"); }),
      testing::HasSubstr("t.csv:2:2: byte \\xe9 is not UTF-8; the file seems to be in Latin-1"));
}

TEST(CostTableTest, TakesWhatSpreadsheetsWrite) {
  const AllocationTable table = AllocationTable::parse(
      "\xEF\xBB\xBF \"cost\" ,bits,weight,group,quantizer\r\n"
      "\r\n"
      "+2.5 , 3,10,\"W, all of \"\"them\"\"\",\tconv1\t\r"
      "1e-400,4,10,\"W, all of \"\"them\"\"\",conv1",
      "t.csv");
  EXPECT_EQ(table.quantizers[0].name, "conv1");
  EXPECT_THAT(table.quantizers[0].costs, ElementsAre(2.5, 0));
  EXPECT_EQ(table.groups[0].name, "W, all of \"them\"");
}

TEST(CostTableTest, PairsTheQuantizersOfALayer) {
  const AllocationTable table = AllocationTable::parse(kLayerHeader +
                                                           "c1.weight,W,9,4,1,c1,100\n"
                                                           "input,A,5,4,1,c1;c2,\n"
                                                           "c2.weight,W,9,4,1,c2,200\n"
                                                           "other,A,9,4,1,,\n",
                                                       "t.csv");
  ASSERT_EQ(table.layers.size(), 2u);
  EXPECT_EQ(table.layers[0].weight, 0);
  EXPECT_EQ(table.layers[0].activation, 1);
  EXPECT_EQ(table.layers[0].macs, 100);
  EXPECT_EQ(table.layers[1].weight, 1);
  EXPECT_EQ(table.layers[1].activation, 2);
  EXPECT_EQ(table.layers[1].macs, 200);
}

TEST(CostTableTest, EveryMistakeIsNamedWithItsPlace) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "t.csv: empty; expected the header quantizer,group,weight,bits,cost"},
      {" \n\r\n", "t.csv: empty; expected the header quantizer,group,weight,bits,cost"},
      {kHeader, "t.csv: no rows below the header; expected one per quantizer and candidate"},
      {"conv1,W,10,4,1\n",
       "t.csv:1: expected the header quantizer,group,weight,bits,cost, found 'conv1,W,10,4,1'"},
      {"quantizer,group,weight,bits\n",
       "t.csv:1: column 'cost' is missing; expected quantizer,group,weight,bits,cost"},
      {"quantizer,group,wieght,bits,cost\n",
       "t.csv:1:17: unknown column 'wieght', did you mean 'weight'?; known columns: bits, cost, "
       "group, layer, macs, quantizer, weight"},
      {"quantizer,group,bits,bits,cost\n", "t.csv:1:22: column 'bits' is there twice"},
      {"quantizer,group,weight,bits,cost,layer\n",
       "t.csv:1: columns 'layer' and 'macs' need each other; column 'macs' is missing"},
      {kHeader + "a,W,10,4\n", "t.csv:2: 4 values; the header names 5 columns"},
      {kHeader + "a,W,10,4,1,\n", "t.csv:2: 6 values; the header names 5 columns"},
      {kHeader + "\n ,W,10,4,1\n", "t.csv:3:2: the quantizer has no name"},
      {kHeader + "a,,10,4,1\n", "t.csv:2:3: the group is empty"},
      {kHeader + "a,all,10,4,1\n",
       "t.csv:2:3: a group cannot be called 'all': in a budget that means all groups"},
      {kHeader + "a,W,-1,4,1\n", "t.csv:2:5: weight -1 is negative"},
      {kHeader + "a,W,1.5,4,1\n",
       "t.csv:2:5: weight '1.5' is not a whole number; expected elements, 1 or MACs, up to 2^62"},
      {kHeader + "a,W,99999999999999999999,4,1\n",
       "t.csv:2:5: weight '99999999999999999999' is not a whole number; expected elements, 1 or "
       "MACs, up to 2^62"},
      {kHeader + "a,W,10,0,1\n", "t.csv:2:8: '0' bits; expected a whole number from 1 to 64"},
      {kHeader + "a,W,10,65,1\n", "t.csv:2:8: '65' bits; expected a whole number from 1 to 64"},
      {kHeader + "a,W,10,,\n", "t.csv:2:8: '' bits; expected a whole number from 1 to 64"},
      {kHeader + "a,W,10,4,1,5\n", "t.csv:2: 6 values; the header names 5 columns"},
      {kHeader + "a,W,10,4,low\n",
       "t.csv:2:10: cost 'low' is not a number; expected one, or inf for a forbidden candidate"},
      {kHeader + "a,W,10,4,1e\n",
       "t.csv:2:10: cost '1e' is not a number; expected one, or inf for a forbidden candidate"},
      {kHeader + "a,W,10,4,+-1\n",
       "t.csv:2:10: cost '+-1' is not a number; expected one, or inf for a forbidden candidate"},
      {kHeader + "a,W,10,4,nan\n",
       "t.csv:2:10: the cost of 'a' at 4 bits is NaN; write inf to forbid the candidate, or leave "
       "the row out"},
      {kHeader + "a,W,10,4,-inf\n", "t.csv:2:10: a cost cannot be minus infinity"},
      {kHeader + "a,W,10,4,1e999\n",
       "t.csv:2:10: cost '1e999' is too large for a double; write inf to forbid it"},
      {",quantizer,group,weight,bits,cost\n0,a,W,10,4,1\n",
       "t.csv:1:1: a column without a name; pandas writes its index so: to_csv(..., index=False) "
       "leaves it out"},
      {kHeader + "a,W,10,4,1\nb,W,10,4,1\na,W,10,4,2\n",
       "t.csv:4:8: 'a' at 4 bits is in line 2 already"},
      {kHeader + "a,W,10,4,1\na,W,11,8,2\n",
       "t.csv:3:5: weight '11' of 'a' differs from line 2: '10'"},
      {kHeader + "a,W,10,4,1\na,A,10,8,2\n",
       "t.csv:3:3: group 'A' of 'a' differs from line 2: 'W'"},
      {kHeader + "b,W,10,4,1\na,W,10,4,inf\na,W,10,8,inf\n",
       "t.csv:3: quantizer 'a' has no choices: every cost is inf"},
      {kHeader + "\"a,W,10,4,1\n", "t.csv:2:1: this quote does not end on its line"},
      {kHeader + "\"a\"b,W,10,4,1\n", "t.csv:2:4: expected a comma after the quoted value"},
      {kLayerHeader + "a,W,10,4,1,c1,5\n",
       "t.csv:2: layer 'c1' has one quantizer, 'a'; expected its weight and its input"},
      {kLayerHeader + "a,W,10,4,1,c1,\nb,W,10,4,1,c1,\n", "t.csv:2: layer 'c1' has no macs"},
      {kLayerHeader + "a,W,10,4,1,c1,5\nb,W,10,4,1,c1,6\n",
       "t.csv:3: layer 'c1' has 6 macs here and 5 in line 2"},
      {kLayerHeader + "a,W,10,4,1,c1,-5\nb,W,10,4,1,c1,\n",
       "t.csv:2: macs '-5' is not a whole number; expected the layer's multiply-accumulates"},
      {kLayerHeader + "a,W,10,4,1,c1,5\nb,W,10,4,1,c1,\nc,W,10,4,1,c1,\n",
       "t.csv:4: layer 'c1' names 'c' besides 'a' and 'b'; expected its weight and its input"},
      {kLayerHeader + "a,W,10,4,1,c1;c1,\n",
       "t.csv:2: layer 'c1' names 'a' twice; expected its weight and its input"},
      {kLayerHeader + "a,W,10,4,1,c1;c2,5\n",
       "t.csv:2: 'a' is part of several layers: leave its macs empty, and give them with the other "
       "quantizer of each"},
      {kLayerHeader + "a,W,10,4,1,c1;,\n", "t.csv:2: a layer has no name"},
      {kLayerHeader + "a,W,10,4,1,c1,5\na,W,10,8,1,c2,5\n",
       "t.csv:3:12: layer 'c2' of 'a' differs from line 2: 'c1'"},
  };
  for (const auto& [csv, message] : cases) {
    EXPECT_EQ(message_of([&] { AllocationTable::parse(csv, "t.csv"); }), message) << csv;
  }
}

AllocationTable small_table() {
  return AllocationTable::parse(kLayerHeader +
                                    "a,W,10,2,1,c1,5\na,W,10,4,0,c1,5\n"
                                    "b,A,20,4,1,c1,\n"
                                    "c,A=1,30,4,1,,\n",
                                "t.csv");
}

TEST(BudgetArgumentsTest, AverageBytesAndBitOperations) {
  const Problem problem =
      make_problem(small_table(), {{"W=2.5", "all=4", "A=1=4"}, {"W=100", "A=7"}, {"80"}});
  ASSERT_EQ(problem.budgets.size(), 5u);
  EXPECT_EQ(problem.budgets[0].name, "W");
  EXPECT_EQ(problem.budgets[0].average_bits, (Decimal{25, 1}));
  EXPECT_THAT(problem.budgets[0].members, ElementsAre(0));
  EXPECT_THAT(problem.budgets[1].members, ElementsAre(0, 1, 2));
  EXPECT_EQ(problem.budgets[2].name, "A=1");
  EXPECT_EQ(problem.budgets[3].name, "W bytes");
  EXPECT_EQ(problem.budgets[3].bytes, 100);
  EXPECT_EQ(problem.budgets[4].name, "A");
  ASSERT_EQ(problem.bops.size(), 1u);
  EXPECT_EQ(problem.bops[0].limit, 80);
  EXPECT_EQ(problem.bops[0].pairs.size(), 1u);
}

TEST(BudgetArgumentsTest, EveryMistakeIsNamed) {
  const std::pair<BudgetArguments, std::string> cases[] = {
      {{{"W"}}, "--budget 'W': expected a group and a number, as in W=4"},
      {{{"=4"}}, "--budget '=4': expected a group and a number, as in W=4"},
      {{{"weights=4"}}, "unknown group 'weights'; known groups: A, A=1, W, all"},
      {{{"W=four"}},
       "--budget 'W=four': 'four' is not a decimal number: expected digits and at most one point, "
       "as in 2.5"},
      {{{"W=-1"}},
       "--budget 'W=-1': '-1' is not a decimal number: expected digits and at most one point, as "
       "in 2.5"},
      {{{"W=4", "W=3"}}, "--budget: group 'W' is given twice"},
      {{{}, {"W=1.5"}}, "--bytes: '1.5' is not a whole number from 0 to 576460752303423488"},
      {{{}, {"W=1", "W=2"}}, "--bytes: group 'W' is given twice"},
      {{{}, {}, {"many"}}, "--bops: 'many' is not a whole number from 0 to 4611686018427387904"},
      {{{}, {}, {"1", "2"}}, "--bops is given twice"},
  };
  for (const auto& [arguments, message] : cases) {
    EXPECT_EQ(message_of([&] { make_problem(small_table(), arguments); }), message);
  }
  const AllocationTable without = AllocationTable::parse(kHeader + "a,bops,10,2,1\n", "t.csv");
  EXPECT_EQ(message_of([&] {
              make_problem(without, {{}, {}, {"1"}});
            }),
            "--bops needs the columns 'layer' (which pairs a layer's two quantizers) and 'macs'");
}

}  // namespace
}  // namespace qbitopt
