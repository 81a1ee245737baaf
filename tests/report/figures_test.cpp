#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/report/figures/figure.h"
#include "qbitopt/report/figures/style.h"
#include "qbitopt/report/figures/vl_convert.h"
#include "report/example_database.h"
#include "runlog/fixture.h"

namespace qbitopt::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

class FiguresTest : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(folder_ / file) << text;
  }
  std::string path(const std::string& file) const { return (folder_ / file).string(); }

  // A finished run of a 4-bit configuration: method, accuracy, budget kept.
  void store(Database& database, const std::string& method, int seed, double top1, bool met) const {
    store(database, {{"method", method}, {"seed", seed}, {"budget.average_bits", 4}},
          {.top1 = top1, .budget_met = met});
  }

  void store(Database& database, const Json& parameters, const GoodRun& run) const {
    const Job job = make_job(parameters);
    Plan plan = make_plan({job});
    for (auto& planned : plan.jobs) {
      JobShape shape = *planned.shape;
      shape.guarantees_budget = false;
      planned.shape = std::make_shared<JobShape>(shape);
    }
    database.record_sweep(plan);
    store_run(database, job, run);
  }

  static void expect_drawn(const Database& database, const FigureDefinition& figure) {
    if (!has_vl_convert()) return;
    const PageFigure drawn =
        figures_for_page(database.reader(), {figure}, std::nullopt).get().at(0);
    EXPECT_EQ(drawn.error, "");
    EXPECT_THAT(drawn.svg, HasSubstr("role-mark")) << figure.name;
  }

  // The values of a column, each once.
  static std::set<std::string> values(const Rows& rows, const std::string& column) {
    std::set<std::string> found;
    for (size_t i = 0; i < rows.size(); ++i) found.insert(rows.at(i, column));
    return found;
  }

  TemporaryFolder folder_;
};

TEST_F(FiguresTest, EveryDefinitionDrawsTheExample) {
  if (!has_vl_convert()) GTEST_SKIP() << "no vl-convert";
  Database database(folder_ / "example.db");
  store_example(database, folder_.path());
  ASSERT_GE(figure_files().size(), 13u);
  std::vector<FigureDefinition> figures;
  for (const EmbeddedFile& file : figure_files())
    figures.push_back(read_figure(std::string(file.name)));
  const std::vector<PageFigure> drawn =
      figures_for_page(database.reader(), figures, "example").get();
  const std::set<std::string> elsewhere = {"accuracy_over_bops", "metric_agreement"};
  for (size_t i = 0; i < figures.size(); ++i) {
    SCOPED_TRACE(figures[i].name);
    EXPECT_NE(figures[i].title, "");
    EXPECT_NE(figures[i].caption, "");
    EXPECT_EQ(drawn[i].error, "");
    const std::string& svg = drawn[i].svg;
    if (elsewhere.count(figures[i].name) != 0) {  // the example has no such runs: their own tests
      EXPECT_EQ(svg, "");
      continue;
    }
    EXPECT_THAT(drawn[i].csv, HasSubstr("panel,"));
    EXPECT_THAT(svg, StartsWith("<svg viewBox="));
    EXPECT_THAT(svg, Not(HasSubstr("<script")));
    EXPECT_THAT(svg, HasSubstr("var(--muted)"));
    EXPECT_THAT(svg, ContainsRegex("aria-label=\"[^\"]*(run|configuration) [0-9a-f]{10}\""));
    EXPECT_THAT(svg, Not(ContainsRegex(" d=\"[^\"]*[0-9][.][0-9][0-9]"))) << "long coordinates";
  }
}

TEST_F(FiguresTest, FormatsAreWhatTheirNamesSay) {
  if (!has_vl_convert()) GTEST_SKIP() << "no vl-convert";
  Database database(folder_ / "example.db");
  store_example(database, folder_.path());
  const FigureDefinition figure = read_figure("time_per_job");
  const auto first_bytes = [&](FigureFormat format) {
    return draw_figures(database.reader(), {figure}, std::nullopt, format).at(0).substr(0, 5);
  };
  EXPECT_EQ(first_bytes(FigureFormat::kSvg), "<svg ");
  EXPECT_EQ(first_bytes(FigureFormat::kPdf), "%PDF-");
  EXPECT_EQ(first_bytes(FigureFormat::kPng), "\x89PNG\r");
  EXPECT_EQ(first_bytes(FigureFormat::kJson), "{\n \"$");
  EXPECT_EQ(first_bytes(FigureFormat::kCsv), "panel");
  EXPECT_THAT(
      message_of([] { figure_format("swg"); }),
      HasSubstr(
          "unknown format 'swg', did you mean 'svg'?; known formats: csv, json, pdf, png, svg"));
}

TEST_F(FiguresTest, ASpecificationCarriesItsRowsTheCommonLookAndTheStylesOfItsSeries) {
  Database database(folder_ / "runs.db");
  store(database, "qbitopt", 0, 80, true);
  write("a.sql", "SELECT 'qbitopt x=1' AS series, 7 AS x");
  write(
      "a.vl.json",
      R"({"data": {"name": "rows"}, "mark": "point", "config": {"padding": 3, "view": {"fill": "red"}}})");
  const Json spec = figure_spec(database.reader(), read_figure(path("a.vl.json")), std::nullopt);
  EXPECT_EQ(spec["datasets"]["rows"],
            Json::parse(R"([{"row": 0, "series": "qbitopt x=1", "x": 7, "color": "#d55e00",
                             "shape": "circle"}])"));
  EXPECT_EQ(spec["config"]["padding"], 3);
  EXPECT_EQ(spec["config"]["view"], Json::parse(R"({"fill": "red", "stroke": null})"));
  EXPECT_EQ(spec["config"]["background"], "#ffffff");
}

TEST_F(FiguresTest, AFigureMayExtendAnother) {
  write("a.sql", "SELECT 1");
  write("a.vl.json", R"({"extends": "base", "title": "A", "mark": {"size": 3, "shape": null}})");
  write("base.vl.json", R"({"data": {"name": "rows"}, "title": "B", "description": "C",
                            "mark": {"type": "point", "shape": "square"}})");
  const FigureDefinition figure = read_figure(path("a.vl.json"));
  EXPECT_EQ(figure.title, "A");
  EXPECT_EQ(figure.caption, "C");
  EXPECT_EQ(figure.spec["mark"], Json::parse(R"({"type": "point", "size": 3})"));
  EXPECT_FALSE(figure.spec.contains("extends"));
  write("a.vl.json", R"({"extends": "curves"})");
  EXPECT_EQ(read_figure(path("a.vl.json")).title, read_figure("curves").title);
  write("a.vl.json", R"({"extends": "a"})");
  EXPECT_THAT(message_of([&] { read_figure(path("a.vl.json")); }),
              HasSubstr("'extends' must name another figure, which does not extend this one"));
}

TEST_F(FiguresTest, NothingIsDrawnOfAnEmptyDatabase) {
  Database database(folder_ / "empty.db");
  for (const EmbeddedFile& file : figure_files()) {
    EXPECT_TRUE(
        figure_spec(database.reader(), read_figure(std::string(file.name)), std::nullopt).is_null())
        << file.name;
  }
}

TEST_F(FiguresTest, MissedRunsEnterNeitherMeansNorTheFront) {
  Database database(folder_ / "runs.db");
  store(database, "qbitopt", 0, 80, true);
  store(database, "qbitopt", 1, 82, true);
  store(database, "penalty", 0, 95, false);
  const Rows rows = database.reader().query(read_figure("accuracy_over_bits").sql, {nullptr});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows.at(0, "series"), "penalty");
  EXPECT_EQ(rows.at(0, "missed"), 1);
  EXPECT_EQ(rows.at(0, "front"), 0);
  EXPECT_EQ(rows.at(1, "series"), "qbitopt");
  EXPECT_EQ(rows.at(1, "missed"), 0);
  EXPECT_EQ(rows.at(1, "front"), 1);
  EXPECT_EQ(rows.at(1, "n"), 2);
  EXPECT_DOUBLE_EQ(rows.at(1, "y").get<double>(), 81);
  EXPECT_DOUBLE_EQ(rows.at(1, "deviation").get<double>(), std::sqrt(2.0));
  // Weights 100 at 2 and 300 at 4 bits, activations at 3: (3.5 + 3) / 2.
  EXPECT_DOUBLE_EQ(rows.at(1, "x").get<double>(), 3.25);
}

TEST_F(FiguresTest, OnlyTheSweepAskedForIsShown) {
  Database database(folder_ / "runs.db");
  store(database, "qbitopt", 0, 80, true);
  const std::string sql = read_figure("time_per_job").sql;
  EXPECT_EQ(database.reader().query(sql, {"quick"}).size(), 1u);
  EXPECT_EQ(database.reader().query(sql, {"quic"}).size(), 0u);
  EXPECT_EQ(database.reader().query(sql, {"qui%"}).size(), 0u);
}

TEST_F(FiguresTest, ConfigurationsOfAMethodAreSeriesNamedByWhatTheyDifferIn) {
  Database database(folder_ / "runs.db");
  for (const int steps : {160, 400}) {
    for (const int seed : {0, 1}) {
      store(database,
            {{"method", "qbitopt"},
             {"seed", seed},
             {"budget.average_bits", 4},
             {"training.steps", steps},
             {steps == 160 ? "old.key" : "new.key", 1}},
            {.top1 = steps / 10.0 + 2 * seed});
    }
  }
  store(database, "fixed_precision", 0, 70, true);
  const std::set<std::string> both = {"qbitopt training.steps=160", "qbitopt training.steps=400"};
  std::set<std::string> all = both;
  all.insert("fixed_precision");
  const auto ask = [&](const char* figure) {
    return database.reader().query(read_figure(figure).sql, {nullptr});
  };
  const Rows points = ask("accuracy_over_bits");
  EXPECT_EQ(values(points, "series"), all);
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points.at(1, "y"), 17);
  EXPECT_EQ(points.at(1, "n"), 2);
  EXPECT_EQ(points.at(2, "y"), 41);
  EXPECT_EQ(values(ask("curves"), "series"), all);
  const std::set<std::string> rows = values(ask("bits_per_layer"), "y");
  EXPECT_TRUE(std::includes(rows.begin(), rows.end(), both.begin(), both.end()));
}

TEST_F(FiguresTest, ConfigurationsThatNoSharedParameterTellsApartHaveDigitsOfTheirKeys) {
  Database database(folder_ / "runs.db");
  store(database, {{"method", "qbitopt"}, {"budget.average_bits", 4}}, {.top1 = 80});
  store(database, {{"method", "qbitopt"}, {"budget.average_bits", 4}, {"new.key", 1}},
        {.top1 = 82});
  for (const auto& [figure, column] : std::map<std::string, std::string>{
           {"accuracy_over_bits", "series"}, {"curves", "series"}, {"bits_per_layer", "y"}}) {
    const Rows rows = database.reader().query(read_figure(figure).sql, {nullptr});
    const std::set<std::string> names = values(rows, column);
    ASSERT_EQ(names.size(), 2u) << figure;
    EXPECT_EQ(names.begin()->size(), std::string("qbitopt 012345").size()) << figure;
  }
}

TEST_F(FiguresTest, PredictionsInNatsStandAgainstFullPrecisionOfTheirRecipe) {
  Database database(folder_ / "runs.db");
  for (const int steps : {160, 400}) {
    const Json recipe = {{"training.steps", steps}, {"budget.average_bits", 4}};
    Json parameters = recipe;
    parameters["method"] = "qbitopt";
    store(database, parameters, {.loss = 0.5});
    parameters["method"] = "sqnr";
    store(database, parameters, {.loss = 0.6, .cost_unit = "1"});
    parameters = {{"method", "fp32_continued"}, {"training.steps", steps}};
    store(database, parameters, {.loss = steps == 160 ? 0.4 : 0.2, .bits = {}});
  }
  const Rows rows = database.reader().query(read_figure("predicted_loss").sql, {nullptr});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(values(rows, "series"), std::set<std::string>{"qbitopt"});
  EXPECT_NEAR(rows.at(0, "y").get<double>() + rows.at(1, "y").get<double>(), 0.1 + 0.3, 1e-12);
}

TEST_F(FiguresTest, TheFrontOverBytesLeavesOutWhatAnotherOneBeats) {
  Database database(folder_ / "runs.db");
  const auto add = [&](const char* method, double top1, std::vector<int> bits) {
    store(database, {{"method", method}, {"budget.average_bits", 4}},
          {.top1 = top1, .bits = std::move(bits)});
  };
  add("small", 70, {2, 2, 3, 8});    // 100 bytes
  add("worse", 69, {2, 3, 3, 8});    // 137
  add("large", 80, {4, 4, 3, 8});    // 200
  add("useless", 80, {8, 4, 3, 8});  // 250
  const Rows rows = database.reader().query(read_figure("accuracy_over_bytes").sql, {nullptr});
  ASSERT_EQ(rows.size(), 4u);
  std::map<std::string, double> kilobytes;
  std::set<std::string> front;
  for (size_t i = 0; i < rows.size(); ++i) {
    kilobytes[rows.at(i, "series")] = rows.at(i, "x");
    if (rows.at(i, "front") == 1) front.insert(rows.at(i, "series"));
  }
  EXPECT_DOUBLE_EQ(kilobytes["small"], 0.1);
  EXPECT_DOUBLE_EQ(kilobytes["useless"], 0.25);
  EXPECT_EQ(front, (std::set<std::string>{"small", "large"}));
}

TEST_F(FiguresTest, BitOperationsAreShownWhereTheWorkerCountedThem) {
  Database database(folder_ / "runs.db");
  store(database, {{"method", "without"}, {"budget.average_bits", 4}}, {});
  for (const double bops : {2e6, 3e6}) {
    store(database, {{"method", "qbitopt"}, {"budget.bops", 2 * bops}},
          {.top1 = bops == 2e6 ? 70.0 : 80.0, .bops = bops});
  }
  const FigureDefinition figure = read_figure("accuracy_over_bops");
  const Rows rows = database.reader().query(figure.sql, {nullptr});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_DOUBLE_EQ(rows.at(0, "x"), 2);
  EXPECT_DOUBLE_EQ(rows.at(1, "x"), 3);
  EXPECT_EQ(rows.at(0, "front"), 1);
  EXPECT_EQ(rows.at(1, "front"), 1);
  expect_drawn(database, figure);
}

TEST_F(FiguresTest, BitsStandOverTheCostOfTheFewestCandidate) {
  Database database(folder_ / "runs.db");
  store(database, {{"method", "qbitopt"}, {"sensitivity", "fit"}, {"budget.average_bits", 4}},
        {.bits = {2, 4, 3, 8}});
  const Rows rows = database.reader().query(read_figure("bits_over_sensitivity").sql, {nullptr});
  std::map<std::string, std::pair<double, double>> found;
  for (size_t i = 0; i < rows.size(); ++i)
    found[rows.at(i, "tensor")] = {rows.at(i, "x"), rows.at(i, "y")};
  const std::map<std::string, std::pair<double, double>> expected = {{"stem.weight", {9, 2}},
                                                                     {"head.weight", {8, 4}},
                                                                     {"head.input", {7, 3}},
                                                                     {"stem.input", {4, 8}}};
  EXPECT_EQ(found, expected);
  EXPECT_THAT(rows.at(0, "panel").get<std::string>(), StartsWith("Weights, cost by fit [nats]"));
}

TEST_F(FiguresTest, MetricsAgreeByTheRanksOfTheirCosts) {
  Database database(folder_ / "runs.db");
  const auto add = [&](const char* metric, std::vector<double> costs) {
    store(database, {{"method", "static_allocation"}, {"sensitivity", metric}},
          {.costs = std::move(costs)});
  };
  add("fit", {1, 2, 30, 4});
  const FigureDefinition figure = read_figure("metric_agreement");
  EXPECT_TRUE(database.reader().query(figure.sql, {nullptr}).empty()) << "one metric only";
  add("scaled", {10, 20, 300, 40});
  add("reversed", {4, 3, 1, 2});
  add("tied", {1, 1, 2, 2});
  const Rows rows = database.reader().query(figure.sql, {nullptr});
  std::map<std::pair<std::string, std::string>, double> found;
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_THAT(rows.at(i, "panel").get<std::string>(), StartsWith("Weights of "));
    found[{rows.at(i, "x"), rows.at(i, "y")}] = rows.at(i, "value");
  }
  EXPECT_EQ(found.size(), 16u);
  EXPECT_NEAR(found.at({"fit", "fit"}), 100, 1e-9);
  EXPECT_NEAR(found.at({"fit", "scaled"}), 100, 1e-9);
  EXPECT_NEAR(found.at({"fit", "reversed"}), -100, 1e-9);
  // Ranks 1 2 4 3 and 1.5 1.5 3.5 3.5: covariance 1, variances 1.25 and 1.
  EXPECT_NEAR(found.at({"fit", "tied"}), 100 / std::sqrt(1.25), 1e-9);
  EXPECT_NEAR(found.at({"tied", "fit"}), 100 / std::sqrt(1.25), 1e-9);
  expect_drawn(database, figure);
}

TEST_F(FiguresTest, ATrialOfASearchIsInNoFigureOfResults) {
  Database database(folder_ / "runs.db");
  // For predicted_loss: what the rise of the loss is measured against.
  store(database, {{"method", "fp32_continued"}, {"seed", 0}}, {.loss = 0.4, .bits = {}});
  const Job job = make_job({{"method", "qbitopt"}, {"seed", 0}, {"budget.average_bits", 4}});
  Plan plan = make_plan({job});
  plan.jobs[0].trial = 1;
  database.record_sweep(plan);
  const Attempt attempt = make_attempt(job, 1, "/nowhere");
  database.begin(attempt);
  std::vector<Event> events = events_of({});
  Reallocation second = std::get<Reallocation>(events[2].body);
  second.step = 1;
  events.insert(events.begin() + 3, {0, events[2].unix_seconds, second});
  for (size_t i = 0; i < events.size(); ++i) events[i].number = static_cast<int64_t>(i) + 1;
  database.ingest(attempt, events);
  database.end(attempt, {});
  const auto shows_the_trial = [&](const char* figure) {
    const Rows rows = database.reader().query(read_figure(figure).sql, {nullptr});
    for (const std::vector<Json>& row : rows.rows) {
      for (const Json& cell : row) {
        if (cell.is_string() && cell.get<std::string>().find("qbitopt") != std::string::npos)
          return true;
      }
    }
    return false;
  };
  const std::vector<const char*> figures = {"bits_over_training",
                                            "sensitivity_over_training",
                                            "predicted_loss",
                                            "bits_per_layer",
                                            "curves",
                                            "accuracy_over_bits",
                                            "budget_error"};
  for (const char* figure : figures) EXPECT_FALSE(shows_the_trial(figure)) << figure;
  plan.jobs[0].trial = 0;
  database.record_sweep(plan);
  for (const char* figure : figures) EXPECT_TRUE(shows_the_trial(figure)) << figure;
}

TEST_F(FiguresTest, NamesAreTextWhateverTheyHold) {
  if (!has_vl_convert()) GTEST_SKIP() << "no vl-convert";
  Database database(folder_ / "runs.db");
  for (const char* name : {"</text><script>alert(1)</script>", "\" onload=\"alert(1)", "a'b\\",
                           "' + alert(1) + '", "\x1b[1m\xef\xbf\xbe"})
    store(database, name, 0, 80, true);
  std::vector<FigureDefinition> figures;
  for (const char* name : {"accuracy_over_bits", "bits_per_layer", "time_per_job", "curves"})
    figures.push_back(read_figure(name));
  for (const PageFigure& drawn : figures_for_page(database.reader(), figures, std::nullopt).get()) {
    EXPECT_EQ(drawn.error, "");
    EXPECT_THAT(drawn.svg, HasSubstr("&lt;script&gt;"));
    EXPECT_THAT(drawn.svg, Not(HasSubstr("<script")));
    EXPECT_THAT(drawn.svg, HasSubstr("&quot; onload=&quot;alert(1)")) << "in an attribute";
  }
}

TEST_F(FiguresTest, WithoutVlConvertTheErrorSaysHowToGetIt) {
  ::setenv("QBITOPT_PYTHON", path("python").c_str(), 1);
  EXPECT_FALSE(has_vl_convert());
  const std::string message = message_of([] { Drawer("svg"); });
  ::unsetenv("QBITOPT_PYTHON");
  EXPECT_THAT(message, HasSubstr("no Python with vl-convert, which draws the figures, was found"));
  EXPECT_THAT(message, HasSubstr("pip install vl-convert-python"));
}

TEST_F(FiguresTest, WhenVlConvertCrashesTheFigureSaysSo) {
  write("python", "#!/bin/sh\n[ \"$1\" = -c ] || { echo panicked >&2; exit 3; }\n");
  std::filesystem::permissions(path("python"), std::filesystem::perms::owner_all);
  Database database(folder_ / "runs.db");
  store(database, "qbitopt", 0, 80, true);
  ::setenv("QBITOPT_PYTHON", path("python").c_str(), 1);
  const auto drawn =
      figures_for_page(database.reader(), {read_figure("time_per_job")}, std::nullopt).get();
  ::unsetenv("QBITOPT_PYTHON");
  EXPECT_THAT(drawn.at(0).error, HasSubstr("python ended with status 3:\npanicked"));
}

TEST_F(FiguresTest, MistakesInADefinitionAreShownInTheirPlace) {
  Database database(folder_ / "runs.db");
  write("a.sql", "SELECT 1 AS x");
  write("a.vl.json", "{\n  \"mark\": \"point\",\n}");
  EXPECT_THAT(message_of([&] { read_figure(path("a.vl.json")); }),
              AllOf(HasSubstr("a.vl.json"), HasSubstr("line 3, column 1")));
  write("a.vl.json", R"({"mark": "point"})");
  EXPECT_THAT(message_of([&] { read_figure(path("a.vl.json")); }),
              HasSubstr(R"(a.vl.json: it has no "data": {"name": "rows"})"));
  EXPECT_THAT(message_of([] { read_figure("curvs"); }), HasSubstr("did you mean 'curves'?"));
  if (!has_vl_convert()) GTEST_SKIP() << "no vl-convert";
  write("a.vl.json",
        R"({"data": {"name": "rows"}, "mark": "point", "transform": [{"filter": "datum.x >"}]})");
  const FigureDefinition figure = read_figure(path("a.vl.json"));
  EXPECT_THAT(message_of([&] {
                draw_figures(database.reader(), {figure}, std::nullopt, FigureFormat::kSvg);
              }),
              AllOf(HasSubstr("figure a cannot be drawn: "), HasSubstr("Unexpected end of input"),
                    Not(HasSubstr("    at ")), HasSubstr("--format json")));
  const auto both =
      figures_for_page(database.reader(), {figure, read_figure("curves")}, std::nullopt).get();
  EXPECT_THAT(both.at(0).error, HasSubstr("Unexpected end of input"));
  EXPECT_EQ(both.at(1).error, "") << "a mistake in one figure is none of the others";
}

TEST_F(FiguresTest, AFigureOfAColumnThatItsRowsLackIsRefused) {
  Database database(folder_ / "runs.db");
  write("a.sql", "SELECT 1 AS accuracy, 2 AS bits, 'qbitopt' AS series");
  const auto refusal = [&](const std::string& encoding) {
    write("a.vl.json", R"({"data": {"name": "rows"}, "mark": "point",)"
                       R"( "transform": [{"calculate": "datum.bits * 2", "as": "twice"}],)"
                       R"( "encoding": {)" +
                           encoding + "}}");
    const FigureDefinition figure = read_figure(path("a.vl.json"));
    return message_of(
        [&] { draw_figures(database.reader(), {figure}, std::nullopt, FigureFormat::kJson); });
  };
  EXPECT_THAT(refusal(R"("x": {"field": "acuracy"})"),
              HasSubstr("figure a: unknown column 'acuracy', did you mean 'accuracy'?"));
  EXPECT_EQ(
      refusal(R"("x": {"field": "twice"}, "y": {"field": "row"}, "color": {"field": "color"})"),
      "nothing was thrown");
}

TEST(SeriesStylesTest, ConfigurationsLookLikeTheirMethod) {
  const SeriesStyles styles({"ours", "theirs"});
  EXPECT_EQ(styles.of("qbitopt solver=exact").color, styles.of("qbitopt").color);
  EXPECT_EQ(styles.of("theirs solver=exact").shape, styles.of("theirs").shape);
  EXPECT_NE(styles.of("ours").color, styles.of("theirs").color);
}

}  // namespace
}  // namespace qbitopt::testing
