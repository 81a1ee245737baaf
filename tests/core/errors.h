#pragma once

#include <string>

#include "qbitopt/core/error.h"

namespace qbitopt {

// The message of the InputError that `action` throws; empty if it throws none.
template <typename Action>
std::string input_error(Action&& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace qbitopt
