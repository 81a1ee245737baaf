// Methods from plugins, as a person names, lists, runs and breaks them.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "end_to_end/sandbox.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHead = R"(qbitopt: 1
name: tiny
)";
constexpr const char* kRecipe = R"(set:
  model: resnet8
  data: {name: synthetic, image_size: 8, train_images: 64, validation_images: 32, test_images: 32}
  pretraining: {steps: 4, batch_size: 16, learning_rate: 0.05}
  training: {steps: 6, batch_size: 16, learning_rate: 0.01}
  calibration: {batches: 1, batch_size: 16}
  budget.average_bits: 3
)";

// trouble.so lies where nothing looks for plugins; template.so where everything does.
class PluginTest : public testing::Sandbox {
 protected:
  PluginTest() {
    environment_["QBITOPT_WORKER"] = QBITOPT_WORKER;
    fs::create_directory(folder_ / "plugins");
    fs::copy(home() / "lib/qbitopt/test_plugins/trouble.so", folder_ / "plugins");
    fs::copy(home() / "lib/qbitopt/test_plugins/trouble.yaml", folder_ / "plugins");
  }

  static fs::path home() { return fs::path(QBITOPT_PROGRAM).parent_path().parent_path(); }

  void write_sweep(const std::string& more) { write("tiny.yaml", kHead + more + kRecipe); }

  Rows query(const std::string& sql) const {
    return Reader(folder_ / "results/qbitopt.db").query(sql);
  }
};

TEST_F(PluginTest, TheListNamesEachMethodsSource) {
  environment_["QBITOPT_PLUGIN_PATH"] = "nowhere:plugins";
  const Json methods = json_of("methods");
  std::map<std::string, std::string> sources;
  for (const Json& method : methods) sources[method["name"]] = method["source"];
  EXPECT_EQ(sources["qbitopt"], "built in");
  EXPECT_EQ(sources["template"],
            fs::canonical(home() / "lib/qbitopt/baselines/template.so").string());
  EXPECT_EQ(sources["trouble"], fs::canonical(folder_ / "plugins/trouble.so").string());
  EXPECT_THAT(qbitopt("methods trouble").out,
              AllOf(HasSubstr("trouble (version 3): Throws in one of its hooks"),
                    HasSubstr("from " + sources["trouble"]), HasSubstr("trouble.where")));
}

TEST_F(PluginTest, ASweepRunsItBesideTheBuiltInOnesAndShowsItInTheTable) {
  write_sweep(R"(cases:
  fixed:    {set: {method: fixed_precision}}
  template: {set: {method: template, template.until: 0.3}}
)");
  const testing::Result run = qbitopt("run tiny.yaml");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(qbitopt("table tiny").out, AllOf(HasSubstr("fixed"), HasSubstr("template")));
  const Rows runs = query("SELECT state, budget_met, key FROM runs WHERE method = 'template'");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs.at(0, "state"), "finished");
  EXPECT_EQ(runs.at(0, "budget_met"), 1);
}

TEST_F(PluginTest, WhereThePluginLiesIsNoPartOfAJobsIdentity) {
  write_sweep("plugin: plugins\n");
  const Json before = json_of("plan tiny.yaml method=trouble");
  fs::rename(folder_ / "plugins", folder_ / "moved");
  write_sweep("plugin: [moved/trouble.so]\n");
  const Json after = json_of("plan tiny.yaml method=trouble");
  EXPECT_EQ(before["jobs"][1]["key"], after["jobs"][1]["key"]);
  EXPECT_EQ(after["jobs"][1]["parameters"]["plugin"],
            fs::canonical(folder_ / "moved/trouble.so").string());
}

TEST_F(PluginTest, KeysAndValuesAreCheckedByTheManifestAlone) {
  std::ofstream(folder_ / "plugins/trouble.so") << "not a library";
  write_sweep("plugin: plugins/trouble.so\ngrid: {trouble.where: [nowhere, in_the_middle]}\n");
  const testing::Result result = qbitopt("plan tiny.yaml method=trouble");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("tiny.yaml:4:"), HasSubstr("in_the_middle"),
                                HasSubstr("after_backward")));
}

TEST_F(PluginTest, WhatIsWrongWithItsFilesIsSaidBeforeAnythingRuns) {
  write_sweep("plugin: plugins/nothing.so\n");
  EXPECT_THAT(qbitopt("plan tiny.yaml").err,
              AllOf(HasSubstr("tiny.yaml:3:9: there is no plugin plugins/nothing.so")));
  fs::create_directory(folder_ / "empty");
  write_sweep("plugin: empty\n");
  EXPECT_THAT(qbitopt("plan tiny.yaml").err,
              HasSubstr("tiny.yaml:3:9: there is no plugin (*.so) in empty"));
  write_sweep("plugin: plugins\n");
  write("plugins/lonely.so", "");
  EXPECT_THAT(qbitopt("plan tiny.yaml").err,
              AllOf(HasSubstr("lonely.so: its manifest "), HasSubstr("lonely.yaml is missing")));
  write("plugins/lonely.yaml", "kind: group\nname: lonely\nversion: 1\nsummary: no method\n");
  EXPECT_THAT(qbitopt("plan tiny.yaml").err,
              HasSubstr("lonely.yaml: expected the manifest of a method, which is all that a "
                        "plugin can add, found that of a group"));
  write("plugins/lonely.yaml", "kind: method\nname: lonely\nversion: one\nsummary: a number\n");
  EXPECT_THAT(qbitopt("plan tiny.yaml").err, HasSubstr("lonely.yaml:3:10: version must be"));
}

TEST_F(PluginTest, AMethodOfANameThatIsTakenIsRefused) {
  write_sweep("plugin: plugins\n");
  fs::copy(folder_ / "plugins/trouble.so", folder_ / "plugins/again.so");
  fs::copy(folder_ / "plugins/trouble.yaml", folder_ / "plugins/again.yaml");
  const testing::Result result = qbitopt("plan tiny.yaml method=trouble");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("a second method 'trouble'; the first is in"),
                                HasSubstr("again.yaml")));
}

TEST_F(PluginTest, OfOneFileNameTheFirstPlaceIsTaken) {
  write_sweep("plugin: plugins/trouble.so\n");
  fs::create_directories(folder_ / "elsewhere");
  for (const char* file : {"trouble.so", "trouble.yaml"})
    fs::copy(folder_ / "plugins" / file, folder_ / "elsewhere" / file);
  environment_["QBITOPT_PLUGIN_PATH"] = "elsewhere";
  EXPECT_EQ(json_of("plan tiny.yaml method=trouble")["jobs"][1]["parameters"]["plugin"],
            fs::canonical(folder_ / "plugins/trouble.so").string());
  EXPECT_THAT(qbitopt("methods").out, HasSubstr("elsewhere/trouble.so"));
}

TEST_F(PluginTest, APluginOfAnotherBuildFailsItsJobWithBothStamps) {
  std::string content = read("plugins/trouble.so");
  const size_t torch = content.find(" torch=2.") + 7;
  content[torch] = '1';
  std::ofstream(folder_ / "plugins/trouble.so") << content;
  write_sweep("plugin: plugins\n");
  const testing::Result result = qbitopt("run tiny.yaml method=trouble");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("failed: plugin: plugin "),
                                HasSubstr("it was built for another LibTorch\n  plugin:  @qbitopt"),
                                HasSubstr("\n  qbitopt: @qbitopt"), HasSubstr("same LibTorch")));
  EXPECT_EQ(query("SELECT error_class FROM failures").at(0, "error_class"), "plugin");
}

TEST_F(PluginTest, AManifestWithAnotherNameThanTheCodeFailsTheJob) {
  std::string manifest = read("plugins/trouble.yaml");
  manifest.replace(manifest.find("name: trouble"), 13, "name: anguish");
  write("plugins/trouble.yaml", manifest);
  write_sweep("plugin: plugins\n");
  EXPECT_THAT(qbitopt("run tiny.yaml method=anguish").err,
              HasSubstr("its manifest says that it brings the method 'anguish', but its code "
                        "registers 'trouble'"));
}

TEST_F(PluginTest, OneThatThrowsFailsItsJobAndTheSweepGoesOn) {
  write_sweep(R"(plugin: plugins
run: {jobs: 2}
cases:
  calm:    {set: {method: fixed_precision}, seeds: 2}
  trouble: {set: {method: trouble}, grid: {trouble.where: [maker, quantizes, make_quantizer, phases, extra_parameters,
    backward_passes_per_step, prepare, start, begin_phase, before_step, loss_term, after_backward, after_step, finish,
    save, load, no_candidate, exceeded_budget, undeclared_parameter, not_an_exception]}}
  quiet:   {set: {method: trouble}}
)");
  const testing::Result result = qbitopt("run tiny.yaml");
  EXPECT_EQ(result.exit_code, 3);
  const Rows runs = query(
      "SELECT trouble_where, state, error_class, error_text FROM runs WHERE method = 'trouble'");
  ASSERT_EQ(runs.size(), 21u);
  const std::map<std::string, std::pair<std::string, std::string>> special = {
      {"no_candidate", {"invalid_bits", "at 9 bits, expected [2,3,4,5,6,7,8]"}},
      {"exceeded_budget",
       {"budget_exceeded", "the final bits exceed a budget that the method promises"}},
      {"undeclared_parameter",
       {"method", "parameter 'trouble.undeclared' is read but not declared"}},
      {"not_an_exception", {"method", "an exception that is not a std::exception"}}};
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::string where = runs.at(i, "trouble_where");
    if (where == "nowhere") {
      EXPECT_EQ(runs.at(i, "state"), "finished");
      continue;
    }
    EXPECT_EQ(runs.at(i, "state"), "failed") << where;
    const auto found = special.find(where);
    const bool is_special = found != special.end();
    EXPECT_EQ(runs.at(i, "error_class"), is_special ? found->second.first : "method") << where;
    const std::string text = is_special ? found->second.second
                                        : "the method threw in " +
                                              (where == "maker" ? "its constructor" : where) +
                                              ": trouble as ordered";
    EXPECT_THAT(runs.at(i, "error_text").get<std::string>(), HasSubstr(text)) << where;
    EXPECT_THAT(result.err, ContainsRegex("trouble[^\n]*where=" + where + "[^\n]* failed: "))
        << where;
  }
  EXPECT_EQ(
      query("SELECT key FROM runs WHERE state = 'finished' AND method = 'fixed_precision'").size(),
      2u);
}

}  // namespace
}  // namespace qbitopt
