#include "qbitopt/core/error.h"

namespace qbitopt {

std::string Location::text() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line);
  if (line > 0 && column > 0) text += ":" + std::to_string(column);
  return text;
}

InputError::InputError(const Location& where, const std::string& message)
    : std::runtime_error(where.text().empty() ? message : where.text() + ": " + message) {}

}  // namespace qbitopt
