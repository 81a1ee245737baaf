#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>

namespace qbitopt {

// A file that its publisher offers by HTTP.
struct Download {
  std::string address;         // http:// or https://
  std::filesystem::path file;  // where to put it; its folder is created
  // Hexadecimal digits with which the file's sha256 must begin; empty: unknown.
  std::string sha256;
};

struct DownloadOptions {
  // Bytes so far and in all, 0 while that is unknown; called a few times per second.
  std::function<void(int64_t bytes, int64_t total)> progress;
  // A connection that breaks, a server that answers 5xx or sends nothing for `stall` is tried
  // again, with a pause that doubles.
  int attempts = 5;
  std::chrono::milliseconds first_pause{1000};
  std::chrono::seconds stall{30};
};

enum class DownloadCheck {
  kDigest,        // the whole sha256 that was asked for
  kFirstDigits,   // its first digits
  kServerDigest,  // the sha256 that the server named (x-linked-etag, as Hugging Face sends it)
  kNone           // no digest is known
};

struct Downloaded {
  std::string sha256;
  int64_t bytes = 0;
  DownloadCheck check = DownloadCheck::kNone;
  bool was_there = false;  // nothing was downloaded
};

// The network, the server or the file that came. The text says what happened, and names the address.
class DownloadError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Downloads into `<file>.part`, compares the digest and renames. What an interrupted download left
// in `<file>.part` is continued if a digest is known, with which the whole can be checked. Redirects
// are followed; from https only to https. Proxies are those of the environment (https_proxy,
// http_proxy, all_proxy, no_proxy). A file that is there already is only checked.
//
// Throws DownloadError; InputError if `file` is there with another digest, or if another process
// downloads it; std::system_error if it cannot be written.
Downloaded download(const Download& wanted, const DownloadOptions& options = {});

}  // namespace qbitopt
