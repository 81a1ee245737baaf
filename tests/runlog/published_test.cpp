#include "qbitopt/runlog/published.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "qbitopt/core/error.h"
#include "runlog/fixture.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHeader =
    "model,method,kind,weight_bits,act_bits,constraint,fp32_top1,top1,source_title,source_url,"
    "quoted_from\n";

class PublishedTest : public ::testing::Test {
 protected:
  std::vector<PublishedResult> read(const std::string& text) {
    std::ofstream(file_) << text;
    return read_published(file_);
  }
  std::string refusal(const std::string& text) {
    try {
      read(text);
    } catch (const InputError& error) {
      return error.what();
    }
    return "was read";
  }

  testing::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "published.csv";
};

TEST_F(PublishedTest, ReadsQuotedFieldsAndLeavesWhatIsNotGivenEmpty) {
  const auto results = read(
      std::string(kHeader) +
      "ResNet18,LSQ,fixed,4,4,\"uniform, \"\"first\"\" 8\nbits\",,70.3,A title,http://x,own\r\n");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].constraint, "uniform, \"first\" 8\nbits");
  EXPECT_FALSE(results[0].fp32_top1);
  EXPECT_EQ(results[0].top1, 70.3);
  EXPECT_EQ(results[0].quoted_from, "own");
}

TEST_F(PublishedTest, ARowWithoutACitationIsRefusedWithItsLine) {
  const std::string rows =
      std::string(kHeader) + "A,B,fixed,4,4,\"two\nlines\",,70,title,http://x,\n";
  EXPECT_EQ(refusal(rows + "A,B,fixed,4,4,,,71,,http://x,\n"),
            file_.string() +
                ":4: source_title is empty; every published number needs the title and "
                "the link of its source");
  EXPECT_THAT(refusal(rows + "A,B,fixed,4,4,,,71,title, ,\n"),
              HasSubstr(":4: source_url is empty"));
}

TEST_F(PublishedTest, WrongRowsAreRefusedWithTheirLine) {
  const std::string header = kHeader;
  EXPECT_THAT(refusal(header + "A,B,fixed,4,4,,,high,t,u,\n"),
              HasSubstr(":2: top1 must be a percentage from 0 to 100, found 'high'"));
  EXPECT_THAT(refusal(header + "A,B,fixed,4,4,,720,70,t,u,\n"), HasSubstr(":2: fp32_top1 must be"));
  EXPECT_THAT(refusal(header + "A,B,fixed,4,4,,,,t,u,\n"), HasSubstr(":2: top1 is empty"));
  EXPECT_THAT(refusal(header + "A,B,fixed\n"), HasSubstr(":2: 3 fields, expected the 11"));
  EXPECT_THAT(refusal("model,metod\n"), HasSubstr(":1: unknown column 'metod'"));
  EXPECT_THAT(refusal("model,method\n"), HasSubstr("is missing from the header"));
  EXPECT_THAT(refusal(header + "A,\"B\n"),
              HasSubstr(":2: the closing quote of this field is missing"));
  EXPECT_THAT(refusal(""), HasSubstr("no header"));
}

TEST_F(PublishedTest, TheCommittedNumbersAllHaveASource) {
  const auto results = read_published(QBITOPT_RESULTS "/published.csv");
  EXPECT_GT(results.size(), 100u);
  for (const PublishedResult& result : results) {
    EXPECT_THAT(result.source_url, HasSubstr("http"));
    if (result.fp32_top1) {
      EXPECT_LT(std::abs(result.top1 - *result.fp32_top1), 40)
          << result.model << " " << result.method;
    }
  }
}

TEST_F(PublishedTest, TheDatabaseHoldsThemOnceHoweverOftenTheyAreRecorded) {
  Database database(folder_ / "results.db");
  const auto results = read_published(QBITOPT_RESULTS "/published.csv");
  database.record_published(results);
  database.record_published(results);
  const Rows rows =
      database.reader().query("SELECT count(*), count(top1_minus_fp32) FROM published");
  EXPECT_EQ(rows.rows[0][0], results.size());
  EXPECT_LT(rows.rows[0][1], results.size());  // blank where the source does not give its fp32
}

}  // namespace
}  // namespace qbitopt
