#pragma once

#include <string>

#include "weights/files.h"

namespace qbitopt::weight_files {

// As numpy.save writes it.
inline std::string npy(const std::string& descr, const std::string& shape,
                       const std::string& values, const std::string& fortran_order = "False") {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + fortran_order +
                       ", 'shape': " + shape + ", }";
  header.resize((header.size() + 10) / 64 * 64 + 64 - 10 - 1, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + bytes(static_cast<uint16_t>(header.size())) +
         header + values;
}

template <typename Number>
std::string values(std::initializer_list<Number> numbers) {
  std::string all;
  for (const Number number : numbers) all += bytes(number);
  return all;
}

}  // namespace qbitopt::weight_files
