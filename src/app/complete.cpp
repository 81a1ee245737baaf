// qbitopt complete: how a command line may go on. The scripts of `qbitopt completion` ask it at each
// press of the tab key, so that they know nothing themselves.
//
//   qbitopt complete [--breaks CHARACTERS] --line TEXT   the command line up to the cursor
//   qbitopt complete -- WORD ...                         the words after `qbitopt`; the last one is
//                                                        being typed
//
// Prints "files" or "words", which says whether names of files are wanted as well, and then one
// candidate per line: the whole word, a tab, and its meaning. With --breaks, for bash, a candidate
// begins after the last of these characters in the word, as bash's own words do.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "app/exit_codes.h"
#include "app/known_parts.h"
#include "app/places.h"
#include "app/verbs.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/shipped_files.h"
#include "qbitopt/report/figures/figure.h"
#include "qbitopt/report/named_query.h"
#include "qbitopt/report/table_format.h"
#include "qbitopt/schedule/run_store.h"

namespace qbitopt::app {
namespace {

using std::chrono::milliseconds;

constexpr int kMostJobs = 300;

struct Candidate {
  std::string word;
  std::string meaning;
};

struct Candidates {
  bool and_files = false;
  std::vector<Candidate> words;

  void add(const std::string& word, const std::string& meaning = "") {
    words.push_back({word, meaning});
  }
  void add_all(const std::vector<std::string>& all) {
    for (const std::string& word : all) add(word);
  }
};

// The words of a line as a shell would read them, without expansions. The last word is the one that
// the cursor touches, possibly empty; the first, the program's, is left out.
std::vector<std::string> words_of_line(const std::string& line) {
  std::vector<std::string> words = {""};
  char quote = '\0';
  bool is_between = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == '\0' && (c == ' ' || c == '\t')) {
      is_between = true;
      continue;
    }
    if (is_between) words.emplace_back();
    is_between = false;
    if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      words.back() += line[++i];
    } else {
      words.back() += c;
    }
  }
  if (is_between) words.emplace_back();
  words.erase(words.begin());
  return words;
}

// What is known of the words before the one that is being typed.
class Line {
 public:
  Line(const Verb& verb, const std::vector<std::string>& words)
      : verb_(verb.name), options_(describe(verb).options) {
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      const std::string& word = words[i];
      if (!word.starts_with('-') || word == "-") {
        positionals_.push_back(word);
        continue;
      }
      const auto* option = find(word.substr(0, word.find('=')));
      if (option == nullptr || !option->needs_value || word.find('=') != std::string::npos) {
        if (option != nullptr && option->name == "db") database_ = word.substr(word.find('=') + 1);
        continue;
      }
      if (i + 2 >= words.size()) {
        awaited_ = option;
        return;
      }
      ++i;
      if (option->name == "db") database_ = words[i];
    }
  }

  // "--output", "-o"; null if there is none.
  const VerbDescription::Option* find(const std::string& word) const {
    for (const auto& option : options_) {
      if (word == "--" + option.name || (!option.letter.empty() && word == "-" + option.letter))
        return &option;
    }
    return nullptr;
  }

  const std::string& verb() const { return verb_; }
  const std::vector<VerbDescription::Option>& options() const { return options_; }
  const std::vector<std::string>& positionals() const { return positionals_; }
  // The option whose value is being typed as a word of its own; null: none.
  const VerbDescription::Option* awaited() const { return awaited_; }

  // A column of the database; empty if it cannot be read now.
  Candidates ask(const std::string& sql, const std::vector<Json>& arguments = {}) const {
    Candidates found;
    try {
      const Reader reader(database_, {.time_limit = milliseconds(1000)});
      for (const auto& row : reader.query(sql, arguments).rows) {
        found.add(row[0].get<std::string>(),
                  row.size() > 1 && row[1].is_string() ? row[1].get<std::string>() : "");
      }
    } catch (const std::exception&) {
      // Nothing can be said at a tab key.
    }
    return found;
  }

 private:
  std::string verb_;
  std::vector<VerbDescription::Option> options_;
  std::vector<std::string> positionals_;
  std::filesystem::path database_ = "results/qbitopt.db";
  const VerbDescription::Option* awaited_ = nullptr;
};

Candidates only(const std::vector<std::string>& words) {
  Candidates candidates;
  candidates.add_all(words);
  return candidates;
}

Candidates files() { return {true, {}}; }

Candidates both(Candidates first, const Candidates& second) {
  first.words.insert(first.words.end(), second.words.begin(), second.words.end());
  first.and_files |= second.and_files;
  return first;
}

Candidates sweeps_of_database(const Line& line) {
  return line.ask("SELECT name FROM sweep ORDER BY name");
}

Candidates jobs(const Line& line, const std::string& prefix) {
  if (prefix.find_first_not_of("0123456789abcdef") != std::string::npos) return {};
  return line.ask(
      fmt::format("SELECT job, coalesce(method, '') || coalesce(', seed ' || seed, '') || ', ' ||"
                  " state FROM runs WHERE key GLOB ?1 || '*' ORDER BY key LIMIT {}",
                  kMostJobs),
      {prefix});
}

Candidates parts(const std::string& kind) {
  Candidates candidates;
  const Catalog catalog = known_parts();
  for (const std::string& name : catalog.names(kind))
    candidates.add(name, catalog.get(kind, name).summary);
  return candidates;
}

// Names of `kind`, where `kind` may be the type of a parameter.
void add_values(const ParameterSpec& spec, const std::string& before, const Catalog& catalog,
                Candidates& candidates) {
  if (spec.type == "bool") {
    for (const char* value : {"true", "false"}) candidates.add(before + value);
  } else if (!spec.choices.empty()) {
    for (const std::string& value : spec.choices) candidates.add(before + value);
  } else {
    for (const std::string& name : catalog.names(spec.type))
      candidates.add(before + name, catalog.get(spec.type, name).summary);
  }
}

// "key=value", with the signs that may stand before a key.
Candidates overrides(const std::string& word) {
  Candidates candidates;
  const Catalog catalog = known_parts();
  const size_t begin = word.find_first_not_of("+~");
  const std::string sign = word.substr(0, std::min(begin, word.size()));
  const size_t equals = word.find('=');
  if (equals == std::string::npos) {
    for (const auto& [name, spec] : catalog.keys())
      candidates.add(sign + name + (sign == "~" ? "" : "="), spec->description);
    if (sign.empty()) candidates.add("seeds=", "number of seeds, or a list of them");
    return candidates;
  }
  const auto key = catalog.keys().find(word.substr(sign.size(), equals - sign.size()));
  if (key == catalog.keys().end()) return candidates;
  // The last of several: a=1,2
  const size_t comma = word.find_last_of("=,");
  add_values(*key->second, word.substr(0, comma + 1), catalog, candidates);
  candidates.and_files = key->second->type == "path";
  return candidates;
}

std::vector<std::string> names_of_formats(const std::string& verb) {
  if (verb == "export") return {"csv", "jsonl", "parquet", "sqlite", "tensorboard"};
  if (verb == "export-network") return {"onnx", "qonnx", "safetensors", "aimet"};
  std::vector<std::string> names;
  if (verb == "plot") {
    for (const auto& [name, format] : figure_formats()) names.push_back(name);
    return names;
  }
  for (const TableFormat& format : table_formats()) names.push_back(format.name);
  return names;
}

// Values of an option. The name of its value says what it is, unless the option is known here.
Candidates values(const Line& line, const VerbDescription::Option& option) {
  const std::string& name = option.name;
  if (name == "format") return only(names_of_formats(line.verb()));
  if (name == "sweep") return sweeps_of_database(line);
  if (name == "state") return only(job_state_names());
  if (name == "executor") return only({"local", "slurm", "command"});
  if (name == "solver") return parts("solver");
  if (name == "job") return jobs(line, "");
  if (name == "model" && line.verb() == "predict") return both(parts("model"), files());
  if (name == "opset") return only({"17", "18", "19", "20", "21"});
  if (name == "encodings") return only({"0.6.1", "1.0.0"});
  if (name == "jobs") return only({"auto"});
  if (name == "sort" || name == "columns") {
    return line.ask(
        "SELECT column_name, meaning FROM schema_doc WHERE relation = 'runs'"
        " AND position > 0 ORDER BY position");
  }
  if (name == "describe")
    return line.ask(
        "SELECT relation, meaning FROM schema_doc WHERE position = 0 ORDER BY relation");
  Candidates candidates;
  candidates.and_files = option.value_name.find("FILE") != std::string::npos ||
                         option.value_name.find("FOLDER") != std::string::npos;
  return candidates;
}

Candidates visible_verbs() {
  Candidates candidates;
  for (const Verb& verb : verbs()) {
    if (!verb.is_hidden) candidates.add(verb.name, verb.summary);
  }
  return candidates;
}

Candidates queries() {
  Candidates candidates;
  for (const NamedQuery& query : read_queries(queries_folder()))
    candidates.add(query.name, query.description.substr(0, query.description.find('\n')));
  return candidates;
}

Candidates figures() { return both(only({"all"}), both(only(figure_names()), files())); }

// Words without a dash, by their place after the verb.
Candidates positionals(const Line& line, const std::string& word) {
  using Source = std::function<Candidates()>;
  const size_t place = line.positionals().size();
  const auto no_more = [] { return Candidates(); };
  const auto at = [&](const std::vector<Source>& sources) {
    return place < sources.size() ? sources[place]() : Candidates();
  };
  const Source a_job = [&] { return jobs(line, word); };
  const Source a_sweep = [&] { return sweeps_of_database(line); };
  const Source job_or_sweep = [&] { return both(jobs(line, word), sweeps_of_database(line)); };
  const std::string& verb = line.verb();
  if (verb == "run" || verb == "plan") {
    return place == 0 ? both(only(shipped_names("sweeps", ".yaml")), files()) : overrides(word);
  }
  if (verb == "show" || verb == "logs") return at({a_job});
  if (verb == "diff") return at({a_job, a_job});
  if (verb == "retry") return a_job();
  if (verb == "cancel" || verb == "rm") return job_or_sweep();
  if (verb == "note") return at({job_or_sweep, no_more});
  if (verb == "ls") return at({a_sweep});
  if (verb == "export-network") return at({[&] { return both(jobs(line, word), files()); }});
  if (verb == "table") {
    return at({[&] {
      return both(only(shipped_names("results", ".yaml")), both(sweeps_of_database(line), files()));
    }});
  }
  if (verb == "plot") return figures();
  if (verb == "sql") return place == 0 ? queries() : Candidates();
  if (verb == "export") {
    return line.ask(
        "SELECT relation, meaning FROM schema_doc JOIN sqlite_master ON name = relation"
        " WHERE position = 0 AND type = 'view' ORDER BY relation");
  }
  if (verb == "db")
    return at({[] { return only({"check", "migrate", "backup", "published"}); }, files});
  if (verb == "models") return at({[] { return both(parts("model"), files()); }});
  if (verb == "methods") return at({[] { return parts("method"); }});
  if (verb == "sensitivities") return at({[] { return parts("sensitivity"); }});
  if (verb == "solvers") return at({[] { return parts("solver"); }});
  if (verb == "help") return at({visible_verbs});
  if (verb == "completion") return at({[] { return only({"bash", "zsh", "fish"}); }});
  if (verb == "merge" || verb == "solve") return at({files});
  if (verb == "predict") return files();
  return {};
}

Candidates options(const Line& line) {
  Candidates candidates;
  for (const auto& option : line.options()) {
    const std::string value =
        option.default_value.empty() ? "" : fmt::format(" (default: {})", option.default_value);
    candidates.add("--" + option.name, option.meaning + value);
  }
  return candidates;
}

// `words`: those after `qbitopt`, at least one.
Candidates continuations(const std::vector<std::string>& words) {
  if (words.size() == 1) {
    Candidates first = visible_verbs();
    first.add("--help", "list the verbs");
    first.add("--version", "print the version");
    return first;
  }
  const auto verb = std::find_if(verbs().begin(), verbs().end(),
                                 [&](const Verb& known) { return known.name == words.front(); });
  if (verb == verbs().end() || verb->is_hidden) return {};
  const Line line(*verb, {words.begin() + 1, words.end()});
  const std::string& word = words.back();
  if (line.awaited() != nullptr) return values(line, *line.awaited());
  if (!word.starts_with('-')) return positionals(line, word);
  const size_t equals = word.find('=');
  if (equals == std::string::npos) return options(line);
  const auto* option = line.find(word.substr(0, equals));
  if (option == nullptr || option->value_name.empty()) return {};
  Candidates found = values(line, *option);
  for (Candidate& candidate : found.words)
    candidate.word = word.substr(0, equals + 1) + candidate.word;
  return found;
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return text;
}

}  // namespace

int complete(const Invocation& invocation) {
  std::vector<std::string> words = invocation.arguments;
  std::string breaks;
  if (words.size() >= 2 && words[0] == "--breaks") {
    breaks = words[1];
    words.erase(words.begin(), words.begin() + 2);
  }
  if (words.size() == 2 && words[0] == "--line") {
    words = words_of_line(words[1]);
  } else if (!words.empty() && words[0] == "--") {
    words.erase(words.begin());
  } else {
    throw UsageError("complete takes --line TEXT, or -- and the words of a command");
  }
  if (words.empty()) return kGood;
  const Candidates found = continuations(words);
  const std::string& word = words.back();
  const size_t broken = breaks.empty() ? std::string::npos : word.find_last_of(breaks);
  const size_t begin = broken == std::string::npos ? 0 : broken + 1;
  std::string text = found.and_files ? "files\n" : "words\n";
  std::set<std::string> printed;
  for (const Candidate& candidate : found.words) {
    if (candidate.word.starts_with(word) && printed.insert(candidate.word).second)
      text += candidate.word.substr(begin) + '\t' + one_line(candidate.meaning) + '\n';
  }
  invocation.console.print(text);
  return kGood;
}

}  // namespace qbitopt::app
