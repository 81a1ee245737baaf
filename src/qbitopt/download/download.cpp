#include "qbitopt/download/download.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>

#include "qbitopt/core/error.h"
#include "qbitopt/core/file_lock.h"
#include "qbitopt/core/hash.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

constexpr long kRangeNotSatisfiable = 416;

// libcurl's own start, once per process.
void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw DownloadError("libcurl does not start");
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

int64_t size_of(const fs::path& file) {
  std::error_code none;
  const auto size = fs::file_size(file, none);
  return none ? 0 : static_cast<int64_t>(size);
}

// What one request has to say, besides the bytes.
struct Answer {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::string reason;         // libcurl's words
  std::string server_digest;  // 64 hexadecimal digits, or empty
  int write_error = 0;        // errno

  bool is_good() const { return code == CURLE_OK && status >= 200 && status < 300; }
  // Whether the same request may succeed a little later.
  bool is_passing() const {
    switch (code) {
      case CURLE_OK:
        return status >= 500 || status == 408 || status == 429;
      case CURLE_PARTIAL_FILE:
      case CURLE_RECV_ERROR:
      case CURLE_SEND_ERROR:
      case CURLE_GOT_NOTHING:
      case CURLE_OPERATION_TIMEDOUT:
      case CURLE_HTTP2:
      case CURLE_HTTP2_STREAM:
        return true;
      default:
        return false;
    }
  }
  bool refuses_to_resume() const {
    return code == CURLE_RANGE_ERROR || (code == CURLE_OK && status == kRangeNotSatisfiable);
  }
  std::string text() const {
    return code == CURLE_OK ? fmt::format("the server answers {}", status) : reason;
  }
};

// One transfer; libcurl calls back into it.
class Transfer {
 public:
  Transfer(const Download& wanted, const fs::path& part, const DownloadOptions& options)
      : options_(options), begun_at_(size_of(part)), curl_(curl_easy_init(), curl_easy_cleanup) {
    if (!curl_) throw DownloadError("libcurl does not start");
    out_.reset(std::fopen(part.c_str(), "ab"));
    if (!out_) throw std::system_error(errno, std::generic_category(), part.string());
    const bool is_secure = wanted.address.starts_with("https:");
    set(CURLOPT_URL, wanted.address.c_str());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, 10L);
    set_protocols(is_secure);
    set(CURLOPT_USERAGENT, "qbitopt");
    set(CURLOPT_CONNECTTIMEOUT, 30L);
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall.count()));
    set(CURLOPT_ERRORBUFFER, words_);
    set(CURLOPT_WRITEFUNCTION, &Transfer::take);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Transfer::take_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::show);
    set(CURLOPT_XFERINFODATA, this);
    if (begun_at_ > 0) set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(begun_at_));
  }

  Answer run() {
    answer_.code = curl_easy_perform(curl_.get());
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
    answer_.reason = *words_ != '\0' ? words_ : curl_easy_strerror(answer_.code);
    if (answer_.write_error == 0 && std::fflush(out_.get()) != 0) answer_.write_error = errno;
    return answer_;
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl_.get(), option, value);
  }

  // A page on https never sends us to one that anybody on the way can change.
  void set_protocols(bool is_secure) {
#if LIBCURL_VERSION_NUM >= 0x075500
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, is_secure ? "https" : "http,https");
#else
    set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    set(CURLOPT_REDIR_PROTOCOLS,
        static_cast<long>(is_secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  }

  // Pages of errors are not part of the file.
  bool is_content() const {
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300;
  }

  static size_t take(char* bytes, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (!transfer.is_content()) return size * count;
    const size_t written = std::fwrite(bytes, size, count, transfer.out_.get());
    if (written != count) transfer.answer_.write_error = errno;
    return written * size;
  }

  static size_t take_header(char* bytes, size_t size, size_t count, void* self) {
    std::string line(bytes, size * count);
    std::transform(line.begin(), line.end(), line.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::string_view kName = "x-linked-etag:";
    if (line.starts_with(kName)) {
      std::string digest;
      for (const char c : line.substr(kName.size())) {
        if (std::isxdigit(static_cast<unsigned char>(c))) digest += c;
      }
      if (digest.size() == 64) static_cast<Transfer*>(self)->answer_.server_digest = digest;
    }
    return size * count;
  }

  static int show(void* self, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
    const auto& transfer = *static_cast<const Transfer*>(self);
    if (transfer.options_.progress && transfer.is_content()) {
      transfer.options_.progress(transfer.begun_at_ + now,
                                 total > 0 ? transfer.begun_at_ + total : 0);
    }
    return 0;
  }

  const DownloadOptions& options_;
  int64_t begun_at_;
  std::unique_ptr<CURL, void (*)(CURL*)> curl_;
  std::unique_ptr<std::FILE, CloseFile> out_;
  char words_[CURL_ERROR_SIZE] = "";
  Answer answer_;
};

// Fills `part`. Returns the digest that the server named.
std::string transfer(const Download& wanted, const fs::path& part, const DownloadOptions& options) {
  std::string server_digest;
  auto pause = options.first_pause;
  for (int attempt = 1;; ++attempt) {
    const Answer answer = Transfer(wanted, part, options).run();
    if (!answer.server_digest.empty()) server_digest = answer.server_digest;
    if (answer.write_error != 0)
      throw std::system_error(answer.write_error, std::generic_category(), part.string());
    if (answer.is_good()) return server_digest;
    const bool begins_anew = answer.refuses_to_resume() && size_of(part) > 0;
    if (begins_anew) fs::resize_file(part, 0);
    if (attempt >= options.attempts || !(begins_anew || answer.is_passing())) {
      throw DownloadError(fmt::format("{}: {}{}", wanted.address, answer.text(),
                                      attempt == 1 ? "" : fmt::format(" ({} attempts)", attempt)));
    }
    if (begins_anew) continue;
    if (wanted.sha256.empty())
      fs::resize_file(part, 0);  // nothing would tell whether the halves fit
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

DownloadCheck check_by(const std::string& asked, const std::string& server_digest) {
  if (asked.size() == 64) return DownloadCheck::kDigest;
  if (!asked.empty()) return DownloadCheck::kFirstDigits;
  return server_digest.empty() ? DownloadCheck::kNone : DownloadCheck::kServerDigest;
}

// Removes a part that nothing can be continued from, when it goes out of scope.
struct RemoveIfEmpty {
  const fs::path& part;
  ~RemoveIfEmpty() {
    std::error_code none;
    if (fs::file_size(part, none) == 0 && !none) fs::remove(part, none);
  }
};

}  // namespace

Downloaded download(const Download& wanted, const DownloadOptions& options) {
  start_curl();
  Downloaded result;
  if (fs::exists(wanted.file)) {
    result = {sha256_of_file(wanted.file), size_of(wanted.file), check_by(wanted.sha256, ""), true};
    if (!result.sha256.starts_with(wanted.sha256)) {
      throw InputError(
          fmt::format("{} is damaged or another file: its sha256 is {}, expected {}{}; remove it "
                      "to download it again",
                      wanted.file.string(), result.sha256, wanted.sha256,
                      wanted.sha256.size() < 64 ? "..." : ""));
    }
    return result;
  }
  if (wanted.file.has_parent_path()) fs::create_directories(wanted.file.parent_path());
  const fs::path part = wanted.file.string() + ".part";
  const auto lock = FileLock::try_lock(part);
  if (!lock)
    throw InputError(fmt::format("{}: another process downloads it", wanted.file.string()));
  const RemoveIfEmpty cleanup{part};
  for (bool was_resumed = size_of(part) > 0;; was_resumed = false) {
    if (was_resumed && wanted.sha256.empty()) fs::resize_file(part, 0);
    const std::string server_digest = transfer(wanted, part, options);
    const std::string expected = wanted.sha256.empty() ? server_digest : wanted.sha256;
    result = {sha256_of_file(part), size_of(part), check_by(wanted.sha256, server_digest), false};
    if (result.sha256.starts_with(expected)) break;
    fs::resize_file(part, 0);
    if (was_resumed) continue;  // the part may have been of another file
    throw DownloadError(
        fmt::format("{}: what came is damaged or another file: its sha256 is {}, expected {}{}; it "
                    "was deleted",
                    wanted.address, result.sha256, expected, expected.size() < 64 ? "..." : ""));
  }
  fs::rename(part, wanted.file);
  return result;
}

}  // namespace qbitopt
