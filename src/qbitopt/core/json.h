#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

// Compiled once, in json.cpp: it would cost every file that reads or writes JSON 3 s.
extern template class nlohmann::basic_json<>;
extern template class nlohmann::detail::serializer<nlohmann::json>;
extern template class nlohmann::detail::parser<
    nlohmann::json, nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;
extern template class nlohmann::detail::lexer<
    nlohmann::json, nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;

namespace qbitopt {

using Json = nlohmann::json;

// Canonical JSON (RFC 8785): sorted keys, no spaces, numbers as ECMAScript prints them, so that
// equal values give equal bytes: 4.0 and 4 are both "4". Throws InputError on NaN and infinity.
std::string canonical_json(const Json& value);

// Reads a JSON file. Throws InputError with the file's name and the place of the fault.
Json read_json(const std::filesystem::path& file);

// Writes by temporary file, fsync and rename: after a crash there is the old file or the new one.
void write_file_atomically(const std::filesystem::path& file, const std::string& content);

}  // namespace qbitopt
