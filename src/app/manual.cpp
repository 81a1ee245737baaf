// qbitopt manual: the manual page in roff, from the same descriptions as --help.
#include <fmt/format.h>

#include "app/exit_codes.h"
#include "app/verbs.h"

namespace qbitopt::app {
namespace {

// Text as roff prints it: backslashes and dashes stay what they are, and no line is a request.
std::string roff(const std::string& text) {
  std::string out;
  bool begins_line = true;
  for (const char c : text) {
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '`') {
      out += "\\(ga";
    } else {
      out += c;
    }
    begins_line = c == '\n';
  }
  return out;
}

// Lines of a summary; those that begin with spaces are tables, and keep their shape.
std::string paragraphs(const std::string& summary) {
  std::string out;
  bool is_table = false;
  size_t begin = 0;
  while (begin < summary.size()) {
    const size_t end = std::min(summary.find('\n', begin), summary.size());
    const std::string line = summary.substr(begin, end - begin);
    const bool is_row = line.starts_with("  ");
    if (is_row != is_table) out += is_row ? ".nf\n" : ".fi\n";
    is_table = is_row;
    out += roff(line) + "\n";
    begin = end + 1;
  }
  return out + (is_table ? ".fi\n" : "");
}

std::string option_text(const VerbDescription::Option& option) {
  std::string head;
  if (!option.letter.empty()) head = "\\fB\\-" + option.letter + "\\fR, ";
  head += "\\fB\\-\\-" + roff(option.name) + "\\fR";
  if (!option.value_name.empty())
    head += (option.needs_value ? " \\fI" : "[=\\fI") + roff(option.value_name) + "\\fR" +
            (option.needs_value ? "" : "]");
  std::string text = option.meaning;
  if (!option.default_value.empty()) text += " (default: " + option.default_value + ")";
  return ".TP\n" + head + "\n" + roff(text) + "\n";
}

bool is_common(const VerbDescription::Option& option) {
  return option.name == "help" || option.name == "quiet" || option.name == "no-color";
}

constexpr const char* kEnd = R"(.SH EXIT STATUS
.TP
0
success, also if there was nothing to do
.TP
1
an error in the program, or a full disk or memory
.TP
2
wrong arguments or configuration; nothing was started
.TP
3
the sweep ran to its end, with failed jobs; \fBsolve\fR: no allocation keeps the budgets
.TP
4
the database cannot be read or written
.TP
5
another driver works on this database
.TP
6
\fBtable \-\-check\fR found values outside their tolerance
.TP
7
\fBmodels \-\-fetch\fR could not download, or got another file
.TP
130, 143
stopped in good order after Ctrl\-C, or after SIGTERM, SIGHUP or SIGUSR1
.SH ENVIRONMENT
.TP
QBITOPT_PLUGIN_PATH
folders with plugins, separated by colons
.TP
QBITOPT_WORKER
the worker program, if it is not beside this one
.TP
NO_COLOR
print without colors
.TP
https_proxy, http_proxy, no_proxy
proxies of \fBmodels \-\-fetch\fR
.SH FILES
.TP
results/qbitopt.db
the database, unless \fB\-\-db\fR names another
.TP
results/qbitopt.runs/
the files of each attempt: logs, checkpoints, exports
.TP
PREFIX/share/qbitopt/
installed sweeps, recipes, queries and tables
)";

}  // namespace

int manual(const Invocation& invocation) {
  std::string text = fmt::format(
      ".TH QBITOPT 1 \"\" \"qbitopt {}\" \"User Commands\"\n"
      ".SH NAME\nqbitopt \\- sweeps of quantization\\-aware training\n"
      ".SH SYNOPSIS\n\\fBqbitopt\\fR \\fIVERB\\fR [\\fIarguments\\fR]\n"
      ".SH DESCRIPTION\nA sweep file becomes a plan of jobs. Workers train the jobs, all results "
      "are "
      "stored in one\ndatabase, and tables, figures and reports are made from it.\n"
      ".PP\nEvery verb knows these options:\n",
      QBITOPT_VERSION);
  for (const auto& option : describe(find_verb("ls")).options) {
    if (is_common(option)) text += option_text(option);
  }
  text += ".SH VERBS\n";
  for (const Verb& verb : verbs()) {
    if (verb.is_hidden) continue;
    const VerbDescription description = describe(verb);
    text +=
        fmt::format(".SS qbitopt {}\n{}", roff(description.usage), paragraphs(description.summary));
    for (const auto& option : description.options) {
      if (!is_common(option)) text += option_text(option);
    }
  }
  invocation.console.print(text + kEnd);
  return kGood;
}

}  // namespace qbitopt::app
