#include "app/fetch.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/exit_codes.h"
#include "app/text.h"
#include "qbitopt/core/error.h"
#include "qbitopt/download/download.h"
#include "qbitopt/sweep/weights_file.h"

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace qbitopt::app {
namespace {

// One line on a terminal that is written over.
class FetchProgress {
 public:
  FetchProgress(std::string name, const Console& console)
      : name_(std::move(name)), is_shown_(console.is_live() && !console.quiet()) {}
  ~FetchProgress() {
    if (is_shown_ && !last_.empty()) std::fputs("\r\x1b[K", stderr);
  }
  void operator()(int64_t bytes, int64_t total) {
    if (!is_shown_) return;
    std::string text = fmt::format("{}: {:.1f}", name_, static_cast<double>(bytes) / 1e6);
    if (total > 0)
      text +=
          fmt::format(" of {:.1f} MB, {}%", static_cast<double>(total) / 1e6, 100 * bytes / total);
    if (text == last_) return;
    last_ = text;
    fmt::print(stderr, "\r\x1b[K{}", text);
    std::fflush(stderr);
  }

 private:
  std::string name_;
  bool is_shown_;
  std::string last_;
};

std::string words_of(const Downloaded& found) {
  const std::string digest = "sha256 " + found.sha256;
  switch (found.check) {
    case DownloadCheck::kDigest:
      return digest + ", as expected";
    case DownloadCheck::kFirstDigits:
      return digest + ", whose first digits are as expected";
    case DownloadCheck::kServerDigest:
      return digest + ", as the server says; the publisher names none";
    default:
      return digest + ", not compared: the publisher names none";
  }
}

}  // namespace

void add_fetch_options(CommandLine& line) {
  line.options()("fetch", po::bool_switch(),
                 "download NAME's published weights, or continue to, and compare their sha256")(
      "to", po::value<FileName>()->value_name("FOLDER"),
      "with --fetch: folder for the file (default: weights), which weights.root then names")(
      "mirror", po::value<std::string>()->value_name("ADDRESS"),
      "with --fetch: take the file from ADDRESS/FILE instead of its publisher");
}

int fetch_weights(const CommandLine& line, const Manifest& model, Console& console) {
  const Manifest::Offer& offer = model.download;
  if (offer.address.empty()) {
    throw InputError(fmt::format(
        "'{}' has no published weights; leave weights.root out to train it from scratch",
        model.name));
  }
  const fs::path folder = line.get_or("to", FileName{"weights"}).path;
  std::string address = offer.address;
  if (line.has("mirror")) {
    address = line.get<std::string>("mirror");
    if (!address.starts_with("http://") && !address.starts_with("https://"))
      throw UsageError("--mirror takes an address that begins with https:// or http://, not '" +
                       address + "'");
    address += (address.ends_with('/') ? "" : "/") + offer.file;
  }
  const fs::path file = folder / offer.file;
  Downloaded found;
  try {
    console.detail("from " + address);
    FetchProgress progress(offer.file, console);
    found = download({address, file, offer.sha256},
                     {.progress = [&](int64_t bytes, int64_t total) { progress(bytes, total); }});
  } catch (const DownloadError& error) {
    console.error(error.what());
    console.say(fmt::format(
        "try again, which continues where it stopped (a proxy: https_proxy=http://HOST:PORT); or "
        "fetch {} by hand, and save it as {}{}",
        offer.address, file.string(),
        offer.sha256.empty() ? "" : fmt::format(" (sha256 {})", offer.sha256)));
    return kDownload;
  }
  console.print(fmt::format("{}{}\n", found.was_there ? "already there: " : "wrote ", shown(file)));
  console.say(fmt::format("{} bytes, {}", found.bytes, words_of(found)));
  const fs::path converted = folder / (model.name + ".safetensors");
  if (const std::string fault = fault_of_weights(file, converted); !fault.empty()) {
    console.warn(fmt::format("{} {}", shown(file), fault));
  } else if (const std::string misfit = misfit_of_weights(file, model, model.facts.at("classes"));
             !misfit.empty()) {
    console.warn(fmt::format("{} {}", shown(file), misfit));
  } else {
    console.say(fmt::format("use it with weights.root={}", folder.string()));
  }
  return kGood;
}

}  // namespace qbitopt::app
