#pragma once

#include <stdexcept>
#include <string>

namespace qbitopt {

// The database cannot be read or written, or belongs to another program. The message names the
// file, the error and what to do. Programs print it and exit with 4.
class DatabaseError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace qbitopt
