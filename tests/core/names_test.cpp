#include "qbitopt/core/names.h"

#include <gtest/gtest.h>

namespace qbitopt {
namespace {

TEST(NamesTest, SuggestsTheNearestName) {
  EXPECT_EQ(nearest_name("relax_gredy", {"exact", "milp", "relax_greedy"}), "relax_greedy");
  EXPECT_EQ(nearest_name("mlip", {"exact", "milp"}), "milp") << "swapped neighbors are one change";
  EXPECT_EQ(nearest_name("zzzz", {"exact", "milp"}), "");
}

TEST(NamesTest, AnUnknownNameListsTheKnownOnes) {
  EXPECT_EQ(unknown_name("solver", "exat", {"milp", "exact"}),
            "unknown solver 'exat', did you mean 'exact'?; known solvers: exact, milp");
}

}  // namespace
}  // namespace qbitopt
