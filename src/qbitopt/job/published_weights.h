#pragma once

#include <filesystem>
#include <string>

namespace qbitopt {

// The file of a model's published weights in a folder: `<model>.safetensors`; without it what
// PyTorch wrote, `<model>.pth` or under torchvision's names, `<model>-<8 hexadecimal digits>.pth`.
// The first, if none is there. Throws InputError if there are two of the last kind to choose from.
std::filesystem::path published_weights(const std::filesystem::path& folder,
                                        const std::string& model);

// The digits of a name like `resnet18-f37072fd.pth`, with which the file's sha256 begins; empty for
// other names.
std::string digits_of_name(const std::filesystem::path& file);

}  // namespace qbitopt
