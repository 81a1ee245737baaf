#include "qbitopt/sweep/expand.h"

#include <algorithm>
#include <map>
#include <set>

#include "qbitopt/config/value.h"
#include "qbitopt/job/budget_kinds.h"
#include "qbitopt/sweep/block_expander.h"

namespace qbitopt {
namespace {

class Expander {
 public:
  Expander(const Document& document, const Catalog& catalog, DataFingerprints& fingerprints,
           const TrialResults& results, Plan& plan)
      : document_(document),
        catalog_(catalog),
        fingerprints_(fingerprints),
        results_(results),
        plan_(plan) {}

  void expand() {
    if (document_.cases.empty()) {
      points_ += expand_product(document_.top, "");
    } else {
      for (const auto& [name, over] : document_.cases) expand_case(name, over);
    }
    expand_include(document_.top, "");
    if (points_ == 0)
      fail_at({document_.source},
              "this sweep has no jobs: its rules exclude every point of the product");
    warn_about_repeats();
    warn_about_rules(document_.top);
    for (const auto& [name, block] : document_.cases) warn_about_rules(block);
    warn_about_unused();
    plan_.least_jobs = table_.size() + static_cast<size_t>(std::count_if(
                                           foreseen_.begin(), foreseen_.end(),
                                           [&](const auto& key) { return !table_.contains(key); }));
    plan_.most_jobs = plan_.least_jobs + possible_runs_;
    plan_.jobs = table_.take();
  }

 private:
  void expand_case(const std::string& name, const Block& over) {
    const Block block = case_block(document_.top, over);
    const size_t product = expand_product(block, name);
    const size_t included = expand_include(block, name);
    points_ += product;
    if (product + included == 0)
      warn(over.place, "case '" + name + "' has no jobs: its rules exclude every point");
  }

  std::vector<size_t> expand_block(const Block& block, const std::string& case_name,
                                   const std::set<std::string>& extra_axes, int trial = 0) {
    BlockExpander expander(block, case_name, extra_axes, catalog_, fingerprints_, table_,
                           plan_.warnings);
    const std::vector<size_t> jobs = expander.expand(trial);
    note_repeats(block.place, case_name, expander.repeats());
    applied_.insert(expander.applied().begin(), expander.applied().end());
    return jobs;
  }

  // Number of points that became jobs.
  size_t expand_product(const Block& block, const std::string& case_name) {
    if (!block.search) return expand_block(block, case_name, {}).size();
    return expand_search(block, case_name);
  }

  // One search at each point of the product without the seeds.
  size_t expand_search(const Block& block, const std::string& case_name) {
    Block product = block;
    product.seeds.reset();
    const std::vector<Dimension> axes = dimensions(product, catalog_, plan_.warnings);
    size_t jobs = 0;
    Point point(axes.size(), 0);
    for (bool is_there = true; is_there; is_there = advance(point, axes)) {
      Settings settings;
      for (size_t i = 0; i < axes.size(); ++i) {
        for (size_t column = 0; column < axes[i].keys.size(); ++column) {
          const AxisValue& value = axes[i].rows[point[i]][column];
          settings.assign({axes[i].keys[column], value.place,
                           YamlNode{.place = value.place, .scalar = value.value}});
        }
      }
      jobs += search_at(settings, block, case_name);
    }
    return jobs;
  }

  static void expect_searchable(const Search& search, const std::string& where,
                                const Json& parameters) {
    if (!parameters.contains(search.parameter)) {
      fail_at(search.place, "'" + search.parameter + "' applies to no job of " + where +
                                "; move the search into the case of the method that has it");
    }
    for (const BudgetKind& kind : budget_kinds()) {
      for (const std::string& budget : kind.parameters)
        if (kind.is_average() && !parameters.value(budget, Json()).is_null()) return;
    }
    fail_at(search.place, where +
                              " has no budget on average bits, which a search needs; move the "
                              "search into the case that has one");
  }

  // Adds the runs that the results lead to: trials with the first seed, and after a strength is
  // chosen, all seeds with it.
  size_t search_at(const Settings& settings, const Block& block, const std::string& case_name) {
    const Search& search = *block.search;
    if (const Setting* axis = settings.find(search.parameter)) {
      fail_at(axis->place,
              "'" + search.parameter + "' is the parameter of the search, so it cannot be an axis");
    }
    std::set<std::string> axes;
    Block chosen = block_at(settings, block, axes);
    Block first_seed = chosen;
    set_first_seed(first_seed);
    set_trials(first_seed, search, axes);
    Bisection bisection(search, start_of(search, chosen));
    SearchState state{.where = where(search, settings, case_name),
                      .parameter = search.parameter,
                      .max_runs = search.max_runs};
    while (const std::optional<double> value = bisection.next()) {
      set_strength(first_seed, search, *value);
      const auto jobs = expand_block(first_seed, case_name, axes, bisection.runs() + 1);
      if (jobs.empty()) return 0;  // the rules exclude this point
      expect_searchable(search, state.where, table_.job(jobs.front()).job().parameters);
      const auto result = results_(table_.job(jobs.front()).key);
      if (!result) {
        foresee(chosen, search, *value, case_name, axes);
        possible_runs_ += static_cast<size_t>(search.max_runs - state.runs - 1);
        plan_.searches.push_back(std::move(state));
        return 1;
      }
      bisection.add(*result);
      state.runs = bisection.runs();
    }
    state.chosen = bisection.chosen();
    state.status = !state.chosen           ? SearchState::Status::kFailed
                   : bisection.has_found() ? SearchState::Status::kFound
                                           : SearchState::Status::kMissed;
    plan_.searches.push_back(state);
    if (!state.chosen) return 1;
    set_strength(chosen, search, *state.chosen);
    return expand_block(chosen, case_name, axes).size();
  }

  // Notes the jobs that follow if the search ends with this strength; as many follow with another.
  void foresee(Block block, const Search& search, double value, const std::string& case_name,
               const std::set<std::string>& axes) {
    set_strength(block, search, value);
    JobTable jobs;
    std::vector<std::string> warnings;  // come again when the jobs do
    BlockExpander(block, case_name, axes, catalog_, fingerprints_, jobs, warnings).expand();
    for (const PlannedJob& job : jobs.take()) foreseen_.insert(job.key);
  }

  // The block at one point of its axes, whose names are added to `axes`.
  static Block block_at(const Settings& settings, const Block& block, std::set<std::string>& axes) {
    Block single = block;
    single.grid = {};
    single.zip.clear();
    single.sample.reset();
    for (const Setting& setting : settings) {
      single.set.assign(setting);
      axes.insert(setting.key);
    }
    return single;
  }

  void set_first_seed(Block& block) {
    for (const Dimension& dimension : dimensions(block, catalog_, plan_.warnings)) {
      if (!dimension.is_seeds) continue;
      const AxisValue& seed = dimension.rows.front().front();
      block.set.assign({"seed", seed.place, YamlNode{.place = seed.place, .scalar = seed.value}});
    }
    block.seeds.reset();
  }

  // Applies the settings of the search's runs, except those that the command line overrides.
  static void set_trials(Block& block, const Search& search, const std::set<std::string>& axes) {
    for (const Setting& setting : search.trials) {
      if (axes.count(setting.key)) {
        fail_at(setting.place,
                "'" + setting.key + "' is an axis, so the trials of the search cannot set it");
      }
      const bool is_overridden =
          std::find(block.fixed.begin(), block.fixed.end(), setting.key) != block.fixed.end();
      if (is_overridden) continue;
      block.set.assign(setting);
      block.fixed.push_back(setting.key);
    }
  }

  static void set_strength(Block& block, const Search& search, double value) {
    block.set.assign(
        {search.parameter, search.place, YamlNode{.place = search.place, .scalar = value}});
    block.fixed.push_back(search.parameter);
  }

  // The value that the sweep sets, else the manifest's default, which is the choice of the method's
  // authors.
  double start_of(const Search& search, const Block& block) const {
    const Setting* setting = block.set.find(search.parameter);
    const Json value = setting ? setting->value.json()
                               : catalog_.keys().find(search.parameter)->second->default_value;
    if (!value.is_number()) {
      fail_at(search.place,
              "'" + search.parameter +
                  "' needs a number, from which the search starts; set it below `set:`");
    }
    const double start = value.get<double>();
    if (start < search.from || start > search.to) {
      fail_at(search.place,
              "the search starts at " + shown(start) + ", which is not between from and to");
    }
    return start;
  }

  static std::string where(const Search& search, const Settings& settings,
                           const std::string& case_name) {
    std::string text = search.parameter;
    if (!case_name.empty()) text += " of " + case_name;
    const char* separator = " at ";
    for (const Setting& setting : settings) {
      text += separator + setting.key + "=" + shown(setting.value.json());
      separator = ", ";
    }
    return text;
  }

  // Each entry is a job beside the product: the block's constants, the entry, the seeds.
  size_t expand_include(const Block& block, const std::string& case_name) {
    size_t jobs = 0;
    for (const Settings& entry : block.include) {
      Block single = block;
      single.grid = {};
      single.zip.clear();
      single.sample.reset();
      single.exclude.clear();
      single.only.clear();
      std::set<std::string> axes;
      for (const Setting& setting : entry) {
        single.set.assign(setting);
        axes.insert(setting.key);
        if (setting.key == "seed") single.seeds.reset();
      }
      jobs += expand_block(single, case_name, axes).size();
    }
    points_ += jobs;
    return jobs;
  }

  void note_repeats(const Place& place, const std::string& case_name,
                    const std::map<std::string, Repeats>& found) {
    for (const auto& [of_case, repeats] : found) {
      const auto [known, is_new] = repeats_.try_emplace({case_name, of_case}, place, repeats);
      if (!is_new) known->second.second.points += repeats.points;
    }
  }

  void warn_about_repeats() {
    for (const auto& [cases, found] : repeats_) {
      const auto& [case_name, of_case] = cases;
      const auto& [place, repeats] = found;
      const std::string points =
          std::to_string(repeats.points) + (repeats.points == 1 ? " point" : " points");
      warn(place, case_name == of_case
                      ? points + " of this product repeat" + (repeats.points == 1 ? "s" : "") +
                            " the job of another point, which runs once" + repeats.first
                      : points + " of case '" + case_name + "' " +
                            (repeats.points == 1 ? "is a job" : "are jobs") + " of case '" +
                            of_case + "', too, and run once for both" + repeats.first);
    }
  }

  void warn(const Place& place, const std::string& message) {
    plan_.warnings.push_back(location_text(place) + ": " + message);
  }

  // Files that a sweep extends are shared by many, so warnings are only about the sweep's own file.
  void warn_of_own(const Place& place, const std::string& message) {
    const bool is_shared =
        std::any_of(document_.included.begin(), document_.included.end(),
                    [&](const auto& file) { return file.first == place.source->name; });
    if (!is_shared) warn(place, message);
  }

  void warn_about_rules(const Block& block) {
    for (const auto& rule : block.exclude) {
      if (rule->matches == 0) warn_of_own(rule->place, "this entry of exclude matches no job");
    }
    for (const RuleList& list : block.only) {
      for (const auto& rule : list) {
        if (rule->matches == 0) warn_of_own(rule->place, "this entry of only matches no job");
      }
    }
    for (const auto& when : block.when) {
      if (when->matches == 0) warn_of_own(when->place, "this `when` never applies");
    }
  }

  void warn_about_unused() {
    std::vector<const Settings*> all;
    const auto collect = [&](const Block& block) {
      all.insert(all.end(), {&block.set, &block.grid});
      for (const ZipGroup& group : block.zip) all.push_back(&group.axes);
      for (const Settings& include : block.include) all.push_back(&include);
    };
    collect(document_.top);
    for (const auto& [name, block] : document_.cases) collect(block);
    for (const Settings* settings : all) {
      for (const Setting& setting : *settings) {
        if (applied_.count(setting.key) == 0)
          warn_of_own(setting.place, "'" + setting.key + "' applies to no job of this sweep");
      }
    }
  }

  const Document& document_;
  const Catalog& catalog_;
  DataFingerprints& fingerprints_;
  const TrialResults& results_;
  Plan& plan_;
  JobTable table_;
  std::set<std::string> applied_;
  // By the case of the points, and the case whose jobs they repeat.
  std::map<std::pair<std::string, std::string>, std::pair<Place, Repeats>> repeats_;
  size_t points_ = 0;
  std::set<std::string> foreseen_;  // keys of the jobs that running searches end with
  size_t possible_runs_ = 0;        // of running searches, after those that are planned
};

}  // namespace

void expand(const Document& document, const Catalog& catalog, DataFingerprints& fingerprints,
            const TrialResults& results, Plan& plan) {
  Expander(document, catalog, fingerprints, results, plan).expand();
}

}  // namespace qbitopt
