#include "qbitopt/allocation/csv.h"

namespace qbitopt {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

size_t skip_spaces(std::string_view line, size_t at) {
  while (at < line.size() && is_space(line[at])) ++at;
  return at;
}

}  // namespace

CsvReader::CsvReader(std::string_view text, std::string file)
    : rest_(text), file_(std::move(file)) {
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
}

// From the opening quote at `at`; returns the place behind the closing one.
size_t CsvReader::read_quoted(size_t at, std::string& value) const {
  const int column = static_cast<int>(at) + 1;
  for (++at; at < current_.size(); ++at) {
    if (current_[at] != '"') {
      value += current_[at];
    } else if (at + 1 < current_.size() && current_[at + 1] == '"') {
      value += current_[++at];
    } else {
      return at + 1;
    }
  }
  throw InputError(place(column), "this quote does not end on its line");
}

bool CsvReader::next(std::vector<Cell>& cells) {
  do {
    if (rest_.empty()) return false;
    const size_t end = rest_.find_first_of("\r\n");
    current_ = rest_.substr(0, end);
    rest_.remove_prefix(current_.size());
    if (!rest_.empty()) rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : 1);
    ++line_;
  } while (skip_spaces(current_, 0) == current_.size());

  size_t count = 0;
  for (size_t at = 0;; ++at) {
    if (count == cells.size()) cells.emplace_back();
    Cell& cell = cells[count++];
    cell.text.clear();
    at = skip_spaces(current_, at);
    cell.column = static_cast<int>(at) + 1;
    if (at < current_.size() && current_[at] == '"') {
      at = skip_spaces(current_, read_quoted(at, cell.text));
      if (at < current_.size() && current_[at] != ',') {
        throw InputError(place(static_cast<int>(at) + 1),
                         "expected a comma after the quoted value");
      }
    } else {
      const size_t end = std::min(current_.find(',', at), current_.size());
      std::string_view value = current_.substr(at, end - at);
      while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
      cell.text = value;
      at = end;
    }
    if (at == current_.size()) break;
  }
  cells.resize(count);
  return true;
}

}  // namespace qbitopt
