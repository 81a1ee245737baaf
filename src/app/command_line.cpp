#include "app/command_line.h"

#include <sstream>

#include "app/places.h"
#include "qbitopt/core/quantities.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

// "--timeout takes a time such as 90s, not 'soon'".
class WrongValue : public po::error_with_option_name {
 public:
  WrongValue(const std::string& expected, const std::string& found)
      : error_with_option_name("%canonical_option% takes " + expected + ", not '%value%'") {
    set_substitute("value", found);
  }
};

// The value of an option that is given once.
const std::string& word_of(const boost::any& value, const Words& words) {
  po::validators::check_first_occurrence(value);
  return po::validators::get_single_string(words);
}

constexpr const char* kTime = "a time such as 90s, 30m or 12h, or a number of seconds";

}  // namespace

void validate(boost::any& value, const Words& words, Seconds*, int) {
  const std::string& word = word_of(value, words);
  const auto seconds = parse_seconds(word);
  if (!seconds) throw WrongValue(kTime, word);
  value = Seconds{*seconds};
}

void validate(boost::any& value, const Words& words, Interval*, int) {
  const std::string& word = word_of(value, words);
  const auto seconds = parse_seconds(word);
  if (!seconds || *seconds < 0.1) throw WrongValue(std::string(kTime) + " of at least 0.1", word);
  value = Interval{*seconds};
}

void validate(boost::any& value, const Words& words, Count*, int) {
  const std::string& word = word_of(value, words);
  const auto count = parse_count(word, 1);
  if (!count) throw WrongValue("a number of at least 1", word);
  value = Count{*count};
}

void validate(boost::any& value, const Words& words, SideBySide*, int) {
  const std::string& word = word_of(value, words);
  const auto jobs = word == "auto" ? std::optional(0) : parse_count(word, 1);
  if (!jobs) throw WrongValue("'auto' or a number of at least 1", word);
  value = SideBySide{*jobs};
}

void validate(boost::any& value, const Words& words, Seed*, int) {
  const std::string& word = word_of(value, words);
  const auto seed = parse_whole(word);
  if (!seed || *seed < 0) throw WrongValue("a whole number of at least 0", word);
  value = Seed{static_cast<uint64_t>(*seed)};
}

void validate(boost::any& value, const Words& words, FileName*, int) {
  const std::string& word = word_of(value, words);
  if (word.empty()) throw WrongValue("the name of a file", word);
  value = FileName{word};
}

void validate(boost::any& value, const Words& words, OutputName*, int) {
  const std::string& word = word_of(value, words);
  if (word.empty()) throw WrongValue("the name of a file, or - for standard output", word);
  value = OutputName{word == "-" ? kStandardOutput : word};
}

CommandLine::CommandLine(std::string usage, std::string summary)
    : usage_(std::move(usage)), summary_(std::move(summary)) {}

po::options_description_easy_init CommandLine::options() { return visible_.add_options(); }

void CommandLine::add_database() {
  visible_.add_options()("db",
                         po::value<FileName>()
                             ->default_value({"results/qbitopt.db"}, "results/qbitopt.db")
                             ->value_name("FILE"),
                         "database file");
}

void CommandLine::add_json() {
  visible_.add_options()("json", po::bool_switch(), "print JSON instead of text");
}

void CommandLine::add_verbose() {
  visible_.add_options()("verbose,v", po::bool_switch(), "print more details");
}

void CommandLine::add_positional(const std::string& name, int count) {
  hidden_.add_options()(name.c_str(), po::value<std::vector<std::string>>());
  positional_.add(name.c_str(), count);
}

bool CommandLine::parse(const Invocation& invocation) {
  visible_.add_options()("quiet,q", po::bool_switch(), "print only errors and data")(
      "no-color", po::bool_switch(), "print without colors (like NO_COLOR=1)")(
      "help,h", po::bool_switch(), "print this help");
  if (invocation.description != nullptr) {
    *invocation.description = description();
    return false;
  }
  po::options_description all;
  all.add(visible_).add(hidden_);
  try {
    const int style =
        po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(invocation.arguments)
                  .options(all)
                  .positional(positional_)
                  .style(style)
                  .run(),
              values_);
    po::notify(values_);
  } catch (const po::error& error) {
    throw UsageError(error.what());
  }
  if (is_on("help")) {
    std::ostringstream text;
    text << "usage: qbitopt " << usage_ << "\n" << summary_ << "\n\n" << visible_;
    invocation.console.print(text.str());
    return false;
  }
  if (is_on("quiet")) invocation.console.set_quiet();
  if (is_on("verbose")) invocation.console.set_verbose();
  if (is_on("no-color")) invocation.console.set_colorless();
  return true;
}

VerbDescription CommandLine::description() const {
  VerbDescription verb{usage_, summary_, {}};
  for (const auto& option : visible_.options()) {
    VerbDescription::Option& added = verb.options.emplace_back();
    added.name = option->long_name();
    const std::string shortest =
        option->canonical_display_name(po::command_line_style::allow_dash_for_short);
    if (shortest.size() == 2) added.letter = shortest.substr(1);
    added.meaning = option->description();
    const auto& value = *option->semantic();
    added.needs_value = value.min_tokens() > 0;
    if (value.max_tokens() == 0) continue;
    // "N (=3)", "[=N(=1)]" for a value that may be left out
    const std::string text = value.name();
    const bool is_implied = text.starts_with("[=");
    const size_t begin = is_implied ? 2 : 0;
    added.value_name = text.substr(begin, text.find(is_implied ? "(=" : " (=") - begin);
    if (const size_t at = text.find(" (="); at != std::string::npos)
      added.default_value = text.substr(at + 3, text.find(')', at) - at - 3);
  }
  return verb;
}

bool CommandLine::is_on(const std::string& name) const {
  return has(name) && values_[name].as<bool>();
}

std::vector<std::string> CommandLine::words(const std::string& name) const {
  return get_or<std::vector<std::string>>(name, {});
}

}  // namespace qbitopt::app
