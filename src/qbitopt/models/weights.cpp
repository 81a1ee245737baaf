#include "qbitopt/models/weights.h"

#include <fstream>
#include <string_view>

#include "qbitopt/core/error.h"
#include "qbitopt/models/safetensors.h"
#include "qbitopt/models/torch_file.h"

namespace qbitopt {
namespace {

StateDict without_prefix(StateDict tensors, std::string_view prefix) {
  for (const auto& [name, tensor] : tensors) {
    if (!name.starts_with(prefix)) return tensors;
  }
  StateDict shorter;
  for (auto& [name, tensor] : tensors) shorter.emplace(name.substr(prefix.size()), tensor);
  return shorter;
}

}  // namespace

StateDict read_weights(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) {
    throw InputError(file.string() + (std::filesystem::is_directory(file)
                                          ? ": is a folder; give the file in it"
                                      : std::filesystem::exists(file) ? ": cannot be read"
                                                                      : ": no such file"));
  }
  char begin[9] = {};
  stream.read(begin, sizeof(begin));
  const std::string_view magic(begin, sizeof(begin));
  // The length of a safetensors header may begin with this byte, too; the header follows it.
  if (magic.starts_with("\x80") && magic[8] != '{') {
    throw InputError(
        file.string() +
        ": is a pickle as PyTorch wrote it before version 1.6, which is not read here. "
        "Convert it: .venv/bin/python tools/convert_weights.py " +
        file.string() + " OUT.safetensors");
  }
  const bool is_zip = magic.starts_with("PK\x03\x04");
  return without_prefix(is_zip ? read_torch_file(file) : read_safetensors(file), "module.");
}

}  // namespace qbitopt
