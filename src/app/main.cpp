// The `qbitopt` command: runs a verb and turns exceptions into a message and an exit status.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <system_error>

#include "app/driver_lock.h"
#include "app/exit_codes.h"
#include "app/verbs.h"
#include "qbitopt/core/encoding.h"
#include "qbitopt/core/error.h"
#include "qbitopt/runlog/error.h"

namespace qbitopt::app {
namespace {

// Stored and printed texts are UTF-8, including file names.
void check_encoding(const std::vector<std::string>& argv) {
  for (const std::string& word : argv) {
    if (first_invalid_utf8(word)) throw UsageError("'" + word + "' is not UTF-8; rename the file");
  }
  std::error_code ignored;  // a deleted folder is reported by the code that uses it
  const std::string folder = std::filesystem::current_path(ignored).string();
  if (first_invalid_utf8(folder))
    throw UsageError("the name of this folder is not UTF-8: '" + folder + "'; give it another");
}

int dispatch(const std::vector<std::string>& argv, Console& console) {
  check_encoding(argv);
  if (argv.size() < 2 || argv[1] == "--help" || argv[1] == "-h") return help({{}, argv, console});
  if (argv[1] == "--version") {
    console.print(fmt::format("qbitopt {}\n", QBITOPT_VERSION));
    return kGood;
  }
  return find_verb(argv[1]).function({{argv.begin() + 2, argv.end()}, argv, console});
}

// Reports output that was lost on a full disk. A closed pipe is not an error: the reader has read
// enough.
int flushed(int status, Console& console) {
  if ((std::fflush(stdout) == 0 && std::ferror(stdout) == 0) || errno == EPIPE) return status;
  console.error(fmt::format("cannot write the output: {}", std::strerror(errno)));
  return status == kGood ? kInternal : status;
}

// A file that is missing or not readable is an error in the input; a full disk is not.
bool is_about_a_name(const std::error_code& code) {
  for (const std::errc name :
       {std::errc::no_such_file_or_directory, std::errc::permission_denied,
        std::errc::operation_not_permitted, std::errc::not_a_directory, std::errc::is_a_directory,
        std::errc::filename_too_long, std::errc::too_many_symbolic_link_levels,
        std::errc::read_only_file_system, std::errc::file_exists, std::errc::text_file_busy,
        std::errc::invalid_argument}) {
    if (code == name) return true;
  }
  return false;
}

std::string words_of(const std::system_error& error) {
  const auto* of_file = dynamic_cast<const std::filesystem::filesystem_error*>(&error);
  if (of_file == nullptr || of_file->path1().empty()) return error.what();
  return of_file->path1().string() + ": " + error.code().message();
}

int call(const std::vector<std::string>& argv) {
  Console console;
  try {
    return flushed(dispatch(argv, console), console);
  } catch (const UsageError& error) {
    console.error(error.what());
    console.say("`qbitopt help` lists the verbs, `qbitopt VERB --help` their options");
    return kUsage;
  } catch (const InputError& error) {
    console.error(error.what());
    return kUsage;
  } catch (const LockedError& error) {
    console.error(error.what());
    return kLocked;
  } catch (const DatabaseError& error) {
    console.error(error.what());
    return kDatabase;
  } catch (const std::system_error& error) {
    console.error(words_of(error));
    return is_about_a_name(error.code()) ? kUsage : kInternal;
  } catch (const std::bad_alloc&) {
    console.error("there is not enough memory; select fewer rows or columns");
    return kInternal;
  } catch (const std::exception& error) {
    console.error(fmt::format("internal: {}", error.what()));
    return kInternal;
  }
}

}  // namespace
}  // namespace qbitopt::app

int main(int argc, char** argv) { return qbitopt::app::call({argv, argv + argc}); }
