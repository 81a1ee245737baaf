#include "qbitopt/sweep/manifest.h"

#include <gtest/gtest.h>

namespace qbitopt {
namespace {

TEST(ManifestTest, AParameterAffectsTheResultUnlessItSaysOtherwise) { EXPECT_TRUE(ParameterSpec{}.affects_result); }

}  // namespace
}  // namespace qbitopt
