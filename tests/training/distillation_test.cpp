#include "qbitopt/training/distillation.h"

#include <gmock/gmock.h>

#include <cmath>

#include "qbitopt/core/error.h"
#include "training/lab.h"

namespace qbitopt {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;

TEST(DistillationTest, IsTheSquareOfTheTemperatureTimesTheDivergenceOfSoftenedAnswers) {
  const std::vector<std::vector<double>> student = {{1, -2, 0.5}, {0, 3, 1}};
  const std::vector<std::vector<double>> teacher = {{2, 0, -1}, {1, 1, 4}};
  const double temperature = 4;
  double expected = 0;
  for (size_t i = 0; i < 2; ++i) {
    double p_sum = 0, q_sum = 0;
    for (size_t c = 0; c < 3; ++c) {
      p_sum += std::exp(teacher[i][c] / temperature);
      q_sum += std::exp(student[i][c] / temperature);
    }
    for (size_t c = 0; c < 3; ++c) {
      const double p = std::exp(teacher[i][c] / temperature) / p_sum;
      const double q = std::exp(student[i][c] / temperature) / q_sum;
      expected += temperature * temperature * p * std::log(p / q) / 2;
    }
  }
  const auto tensor = [](const std::vector<std::vector<double>>& rows) {
    return torch::stack(
               {torch::tensor(rows[0], torch::kFloat64), torch::tensor(rows[1], torch::kFloat64)})
        .requires_grad_();
  };
  const torch::Tensor s = tensor(student), t = tensor(teacher);
  const torch::Tensor loss = distillation_loss(s, t, temperature);
  EXPECT_NEAR(loss.item<double>(), expected, 1e-12);
  loss.backward();
  EXPECT_TRUE(s.grad().defined());
  EXPECT_FALSE(t.grad().defined());
}

Lab& school() {
  static Lab lab;
  return lab;
}

std::string taught(const std::string& more) {
  return "{method: qbitopt, budget.average_bits: 3, training.distillation: 0.5" + more + "}";
}

TEST(DistillationTest, AnotherNetworkTeachesAndItsJobIsPartOfTheKey) {
  const Attempt own = school().attempt(taught(""));
  const Attempt other = school().attempt(taught(", teacher.model: resnet20"));
  EXPECT_THAT(own.job.needs, Not(Contains(Key("teacher"))));
  ASSERT_THAT(other.job.needs, Contains(Key("teacher")));
  EXPECT_NE(other.job.needs.at("teacher"), other.job.needs.at("fp32_checkpoint"));
  EXPECT_NE(other.job.key, own.job.key);
  // Trained on, it is another teacher.
  const Attempt continued =
      school().attempt(taught(", teacher: {model: resnet20, method: fp32_continued}"));
  EXPECT_NE(continued.job.needs.at("teacher"), other.job.needs.at("teacher"));
  Recorder from_own, from_other;
  school().run(own, from_own);
  school().run(other, from_other);
  EXPECT_NE(from_other.finished().results, from_own.finished().results);
}

// The same checkpoint as a teacher of its own name teaches the same.
TEST(DistillationTest, TheStartingCheckpointNamedAsTeacherGivesTheSameResult) {
  const Attempt named = school().attempt(taught(", teacher.model: resnet8"));
  EXPECT_EQ(named.job.needs.at("teacher"), named.job.needs.at("fp32_checkpoint"));
  Recorder told;
  school().run(named, told);
  EXPECT_EQ(told.finished().results, school().train(taught("")).finished().results);
}

TEST(DistillationTest, ASoftTeacherGoesOnFromACheckpointToTheSameResult) {
  const std::string settings =
      taught(", teacher.model: resnet20, training.distillation_temperature: 4");
  const Recorder& undisturbed = school().train(settings);
  EXPECT_NE(undisturbed.finished().results,
            school().train(taught(", teacher.model: resnet20")).finished().results);
  EXPECT_EQ(school().train_in_two(settings, 5).after.finished().results,
            undisturbed.finished().results);
}

TEST(DistillationTest, ATemperatureOfOneAndNoTeacherAreNoPartOfTheKey) {
  EXPECT_EQ(school()
                .attempt(taught(", training.distillation_temperature: 1, teacher.method: fp32"))
                .job.key,
            school().attempt(taught("")).job.key);
}

}  // namespace
}  // namespace qbitopt
