// Stands in for libFuzzer in the ordinary tests: tries every file of the folders that are named once.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <string>

#include "qbitopt/core/text_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int count, char** folders) {
  int tried = 0;
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(folders[i])) {
      std::fprintf(stderr, "%s\n", entry.path().c_str());
      const std::string bytes = qbitopt::read_bytes(entry.path());
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
      ++tried;
    }
  }
  std::fprintf(stderr, "%d inputs tried\n", tried);
  return tried > 0 ? 0 : 1;
}
