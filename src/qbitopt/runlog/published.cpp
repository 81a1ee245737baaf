#include "qbitopt/runlog/published.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "qbitopt/core/encoding.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

const std::vector<std::string> kColumns = {
    "model",     "method", "kind",         "weight_bits", "act_bits",   "constraint",
    "fp32_top1", "top1",   "source_title", "source_url",  "quoted_from"};

struct Record {
  int line = 0;  // its first
  std::vector<std::string> fields;
};

// RFC 4180: quoted fields may hold commas, doubled quotes and line ends.
std::vector<Record> split(const std::string& text, const std::string& name) {
  std::vector<Record> records;
  Record record{1, {""}};
  int line = 1;
  bool is_quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    line += c == '\n';
    if (is_quoted) {
      if (c != '"') {
        record.fields.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        record.fields.back() += text[++i];
      } else {
        is_quoted = false;
      }
    } else if (c == '"') {
      is_quoted = true;
    } else if (c == ',') {
      record.fields.emplace_back();
    } else if (c == '\n') {
      records.push_back(std::move(record));
      record = {line, {""}};
    } else if (c != '\r') {
      record.fields.back() += c;
    }
  }
  if (is_quoted)
    throw InputError(Location{name, record.line}, "the closing quote of this field is missing");
  if (record.fields.size() > 1 || !record.fields.front().empty())
    records.push_back(std::move(record));
  std::erase_if(records,
                [](const Record& r) { return r.fields.size() == 1 && r.fields[0].empty(); });
  return records;
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// One line of the file, by the names in its header.
class Line {
 public:
  Line(const std::string& file, const std::vector<std::string>& header, const Record& record)
      : where_{file, record.line}, header_(header), record_(record) {
    if (record.fields.size() != header.size())
      throw InputError(
          where_, fmt::format("{} fields, expected the {} of the header: {}", record.fields.size(),
                              header.size(), fmt::join(header, ", ")));
  }

  std::string text(const std::string& column) const {
    const auto found = std::find(header_.begin(), header_.end(), column);
    return trimmed(record_.fields[found - header_.begin()]);
  }
  std::string required(const std::string& column, const char* why) const {
    const std::string value = text(column);
    if (value.empty()) throw InputError(where_, fmt::format("{} is empty; {}", column, why));
    return value;
  }
  std::string link(const std::string& column, const char* why) const {
    const std::string value = required(column, why);
    if (value.starts_with("https://") || value.starts_with("http://")) return value;
    throw InputError(
        where_, fmt::format("{} must begin with https:// or http://, found '{}'", column, value));
  }
  std::optional<double> percentage(const std::string& column) const {
    const std::string value = text(column);
    if (value.empty()) return std::nullopt;
    double number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool is_number = error == std::errc() && end == value.data() + value.size();
    if (!is_number || number < 0 || number > 100)
      throw InputError(
          where_, fmt::format("{} must be a percentage from 0 to 100, found '{}'", column, value));
    return number;
  }

 private:
  Location where_;
  const std::vector<std::string>& header_;
  const Record& record_;
};

PublishedResult result_of(const Line& line) {
  constexpr const char* kCite = "every published number needs the title and the link of its source";
  PublishedResult result;
  result.model = line.required("model", "name the network as the source does");
  result.method = line.required("method", "name the method as the source does");
  result.kind = line.text("kind");
  result.weight_bits = line.text("weight_bits");
  result.activation_bits = line.text("act_bits");
  result.constraint = line.text("constraint");
  result.fp32_top1 = line.percentage("fp32_top1");
  line.required("top1", "without a number there is nothing to compare");
  result.top1 = *line.percentage("top1");
  result.source_title = line.required("source_title", kCite);
  result.source_url = line.link("source_url", kCite);
  result.quoted_from = line.text("quoted_from");
  return result;
}

void check_header(const std::vector<std::string>& header, const Location& where) {
  for (const std::string& name : header) {
    if (std::find(kColumns.begin(), kColumns.end(), name) == kColumns.end())
      throw InputError(where, unknown_name("column", name, kColumns));
  }
  for (const std::string& name : kColumns) {
    if (std::find(header.begin(), header.end(), name) == header.end())
      throw InputError(where, fmt::format("the column '{}' is missing from the header", name));
  }
}

}  // namespace

std::vector<PublishedResult> read_published(const std::filesystem::path& file) {
  std::ifstream input(file, std::ios::binary);
  if (!input || std::filesystem::is_directory(file))
    throw InputError("cannot read " + file.string() + "; expected published numbers as CSV");
  std::string text = read_text(input, file.string());
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  const std::vector<Record> records = split(text, file.string());
  if (records.empty())
    throw InputError(Location{file.string(), 1},
                     fmt::format("no header; expected {}", fmt::join(kColumns, ",")));
  const std::vector<std::string>& header = records.front().fields;
  check_header(header, {file.string(), 1});
  std::vector<PublishedResult> results;
  for (size_t i = 1; i < records.size(); ++i)
    results.push_back(result_of(Line(file.string(), header, records[i])));
  return results;
}

}  // namespace qbitopt
