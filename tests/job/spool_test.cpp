#include "qbitopt/job/spool.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

class SpoolTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("spool_test_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    file_ = folder_ / "events.jsonl";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_, file_;
};

TEST_F(SpoolTest, EveryKindOfEventReadsBackAsWritten) {
  SpoolWriter writer(file_);
  writer.append(Started{"host", 12, "cpu", 1, {{"os", "linux"}}, 40});
  writer.append(Inventory{{{"conv1.weight", "weight", 144, 1000, true, 8},
                           {"conv1.input", "activation", 9, 7, false, {}}}});
  writer.append(Metrics{10, "train", {{"loss", 0.5}}});
  writer.append(NonFinite{11, "loss", "nan"});
  writer.append(Reallocation{20,
                             "relax_greedy",
                             "feasible",
                             1.5,
                             1.25,
                             0.1,
                             9,
                             0.01,
                             {{"weight", 3, 2.9}},
                             {2, 4},
                             {0.1, 0.2},
                             {1, 2}});
  writer.append(Progress{20, 100, "train", 1, 2, 3});
  writer.append(Artifact{"model", "model.pt", "ab", 5});
  writer.append(Note{"warning", "text"});
  writer.append(Finished{
      100, {{"top1", 90}}, {2, 4}, {{"weight", 3, 2.9}}, {{"weight", 4.5}}, 77, true, 1, 2, 3, 4});
  writer.append(Failed{"data", "no file"});
  const std::vector<Event> events = SpoolReader(file_).read_new();
  ASSERT_EQ(events.size(), 10u);
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].number, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(events[i].body.index(), i);
    EXPECT_EQ(to_line(parse_event(to_line(events[i]))), to_line(events[i]));
  }
  EXPECT_EQ(std::get<Inventory>(events[1].body).quantizers[0].pinned_bits, 8);
  EXPECT_FALSE(std::get<Inventory>(events[1].body).quantizers[1].pinned_bits.has_value());
  EXPECT_EQ(std::get<Finished>(events[8].body).all_tensor_bits.at("weight"), 4.5);
}

TEST_F(SpoolTest, AReaderSeesOnlyCompleteLinesAndOnlyOnce) {
  SpoolReader reader(file_);
  EXPECT_TRUE(reader.read_new().empty());
  SpoolWriter(file_).append(Note{"info", "one"});
  std::ofstream(file_, std::ios::app) << R"({"n":2,"t":0,"type":"note","level":"info")";
  EXPECT_EQ(reader.read_new().size(), 1u);
  EXPECT_TRUE(reader.read_new().empty());
  std::ofstream(file_, std::ios::app) << R"(,"text":"two"})"
                                      << "\n";
  EXPECT_EQ(reader.read_new().size(), 1u);
}

TEST_F(SpoolTest, ALargeSpoolIsReadInParts) {
  constexpr size_t kEvents = 5000;
  {
    SpoolWriter writer(file_);
    for (size_t i = 0; i < kEvents; ++i) writer.append(Progress{});
  }
  SpoolReader reader(file_);
  size_t read = 0, parts = 0;
  for (std::vector<Event> events; !(events = reader.read_new()).empty(); ++parts) {
    EXPECT_EQ(events.front().number, static_cast<int64_t>(read) + 1);
    read += events.size();
  }
  EXPECT_EQ(read, kEvents);
  EXPECT_GT(parts, 1u);
}

TEST_F(SpoolTest, AWriterCutsOffATornLineAndGoesOnCounting) {
  SpoolWriter(file_).append(Note{"info", "one"});
  std::ofstream(file_, std::ios::app) << R"({"n":2,"t":)";
  SpoolWriter(file_).append(Note{"info", "two"});
  const std::vector<Event> events = SpoolReader(file_).read_new();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].number, 2);
}

TEST_F(SpoolTest, ADamagedLineIsNamedByFileAndLine) {
  std::ofstream(file_) << "{}\n";
  try {
    SpoolReader(file_).read_new();
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("events.jsonl:1: not an event"), std::string::npos)
        << error.what();
  }
}

TEST_F(SpoolTest, TheLinesBeforeADamagedOneAreGivenFirst) {
  SpoolWriter(file_).append(Note{"info", "one"});
  std::ofstream(file_, std::ios::app) << "garbage\n";
  SpoolReader reader(file_);
  EXPECT_EQ(reader.read_new().size(), 1u);
  EXPECT_THROW(reader.read_new(), InputError);
  EXPECT_THROW(reader.read_new(), InputError);
}

TEST_F(SpoolTest, ALineWithoutEndIsDamaged) {
  SpoolWriter(file_).append(Note{"info", "one"});
  std::filesystem::resize_file(file_, 65 << 20);
  SpoolReader reader(file_);
  EXPECT_EQ(reader.read_new().size(), 1u);
  EXPECT_THROW(reader.read_new(), InputError);
}

TEST_F(SpoolTest, ANumberThatIsNotFiniteReadsBackAsNaN) {
  SpoolWriter writer(file_);
  Finished finished;
  finished.results = {{"loss", std::numeric_limits<double>::infinity()}, {"top1", 10}};
  writer.append(finished);
  const std::vector<Event> events = SpoolReader(file_).read_new();
  const auto& results = std::get<Finished>(events.at(0).body).results;
  EXPECT_TRUE(std::isnan(results.at("loss")));
  EXPECT_EQ(results.at("top1"), 10);
}

TEST_F(SpoolTest, AWholeNumberThatDoesNotFitIsRefused) {
  for (const char* number : {"0", "-1", "1e3", "9223372036854775807", "18446744073709551615"}) {
    EXPECT_THROW(parse_event(std::string(R"({"n":)") + number +
                             R"(,"t":0,"type":"note","level":"info","text":""})"),
                 InputError)
        << number;
  }
  EXPECT_THROW(parse_event(R"({"n":1,"t":null,"type":"note","level":"info","text":""})"),
               InputError);
  EXPECT_THROW(parse_event(R"({"n":1,"t":0,"type":"finished","bits":[3000000000]})"), InputError);
}

}  // namespace
}  // namespace qbitopt
