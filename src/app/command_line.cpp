#include "app/command_line.h"

#include <sstream>

namespace po = boost::program_options;

namespace qbitopt::app {

CommandLine::CommandLine(std::string usage, std::string summary)
    : usage_(std::move(usage)), summary_(std::move(summary)) {}

po::options_description_easy_init CommandLine::options() { return visible_.add_options(); }

void CommandLine::add_database() {
  visible_.add_options()(
      "db", po::value<std::string>()->default_value("results/qbitopt.db")->value_name("FILE"),
      "the database");
}

void CommandLine::add_json() {
  visible_.add_options()("json", po::bool_switch(), "print JSON instead of text");
}

void CommandLine::add_positional(const std::string& name, int count) {
  hidden_.add_options()(name.c_str(), po::value<std::vector<std::string>>());
  positional_.add(name.c_str(), count);
}

bool CommandLine::parse(const Invocation& invocation) {
  visible_.add_options()("quiet,q", po::bool_switch(), "only errors and data")(
      "verbose,v", po::bool_switch(), "more about what is going on")(
      "no-color", po::bool_switch(), "no colours (as NO_COLOR=1)")("help,h", po::bool_switch(),
                                                                   "this text");
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

bool CommandLine::is_on(const std::string& name) const {
  return has(name) && values_[name].as<bool>();
}

std::vector<std::string> CommandLine::words(const std::string& name) const {
  return get_or<std::vector<std::string>>(name, {});
}

std::filesystem::path CommandLine::database() const { return get<std::string>("db"); }

}  // namespace qbitopt::app
