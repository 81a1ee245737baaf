#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/job/event.h"

namespace qbitopt {

// The worker's end of an attempt's events.jsonl: numbered lines, appended and flushed one by one.
// Not thread-safe. Throws std::system_error if the disk refuses (the job then fails; nothing stored
// is lost).
class SpoolWriter {
 public:
  // Goes on after the last complete line of an existing file; a torn last line is cut off.
  explicit SpoolWriter(const std::filesystem::path& file);
  ~SpoolWriter();
  SpoolWriter(const SpoolWriter&) = delete;
  SpoolWriter& operator=(const SpoolWriter&) = delete;

  void append(EventBody body);
  // Waits until everything appended is on disk.
  void sync();

 private:
  int fd_ = -1;
  int64_t next_number_ = 1;
  std::string path_;
};

// The driver's end: reads what is there and can be asked again for more.
class SpoolReader {
 public:
  explicit SpoolReader(std::filesystem::path file) : file_(std::move(file)) {}

  // The next complete lines that appeared since the last call, parsed: some thousands at most, and none
  // if there are no more. A file that is not there yet gives
  // none. Throws InputError (file and line number) on a damaged line, after the lines before it were
  // given by a call of their own.
  std::vector<Event> read_new();

 private:
  std::filesystem::path file_;
  int64_t offset_ = 0;
  int line_ = 0;
};

}  // namespace qbitopt
