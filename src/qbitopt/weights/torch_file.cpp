#include "qbitopt/weights/torch_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "qbitopt/weights/pickle.h"
#include "qbitopt/weights/zip_directory.h"

namespace qbitopt {
namespace {

// The first that a checkpoint has is taken. Averaged weights come last: with them a checkpoint
// keeps the ones that were trained.
constexpr const char* kStateKeys[] = {
    "state_dict", "model_state_dict", "model_state", "model",          "net", "network", "weights",
    "params",     "state_dict_ema",   "model_ema",   "ema_state_dict", "ema"};
// Of 100,000 tensors. Reading takes up to 100 bytes of memory for each.
constexpr uint64_t kMostPickleBytes = 16'000'000;

const std::map<std::string_view, const char*> kTypes = {
    {"DoubleStorage", "F64"}, {"FloatStorage", "F32"},     {"HalfStorage", "F16"},
    {"LongStorage", "I64"},   {"BFloat16Storage", "BF16"}, {"IntStorage", "I32"},
    {"ShortStorage", "I16"},  {"CharStorage", "I8"},       {"ByteStorage", "U8"},
    {"BoolStorage", "BOOL"}};

const PickledTensor* tensor_in(const PickledValue& value) {
  const auto* tensor = std::get_if<const PickledTensor*>(&value);
  return tensor ? *tensor : nullptr;
}

const PickledDictionary* dictionary_in(const PickledValue& value) {
  const auto* dictionary = std::get_if<PickledDictionary*>(&value);
  return dictionary ? *dictionary : nullptr;
}

size_t count_tensors(const PickledDictionary& dictionary) {
  return static_cast<size_t>(
      std::count_if(dictionary.entries.begin(), dictionary.entries.end(),
                    [](const auto& entry) { return tensor_in(entry.second) != nullptr; }));
}

// "an object of the class __main__.Net"; empty for anything else.
std::string object_in(const PickledValue& value) {
  const PickledDictionary* object = dictionary_in(value);
  if (!object || object->type.name.empty()) return "";
  return fmt::format("an object of the class {}.{}", object->type.module, object->type.name);
}

// What there is where a dictionary of tensors was expected.
std::string kind_of(const PickledValue& value) {
  if (tensor_in(value)) return "a Tensor";
  const PickledDictionary* checkpoint = dictionary_in(value);
  if (!checkpoint) return "no dictionary";
  if (const std::string object = object_in(value); !object.empty()) return object;
  for (const char* key : kStateKeys) {
    const PickledValue* inner = checkpoint->find(key);
    const std::string object = inner ? object_in(*inner) : "";
    if (!object.empty()) return fmt::format("no tensors by name, and under '{}' {}", key, object);
  }
  return "no tensors by name";
}

// The first dictionary under a usual key; null if there is none.
const PickledDictionary* state_in(const PickledDictionary& checkpoint) {
  for (const char* key : kStateKeys) {
    const PickledValue* value = checkpoint.find(key);
    if (value && dictionary_in(*value)) return dictionary_in(*value);
  }
  return nullptr;
}

// The dictionaries of tensors among a checkpoint's values, under their keys, or under a usual key in
// them. A few tensors beside more of them at the top (buffers of a method, say) are no network.
std::map<std::string, const PickledDictionary*> inner_dictionaries(
    const PickledDictionary& checkpoint) {
  const size_t least = std::max<size_t>(1, count_tensors(checkpoint));
  std::map<std::string, const PickledDictionary*> found;
  std::set<const PickledDictionary*> seen;
  for (const auto& [key, value] : checkpoint.entries) {
    const PickledDictionary* inner = dictionary_in(value);
    if (!inner || !seen.insert(inner).second) continue;
    if (count_tensors(*inner) == 0) {
      inner = state_in(*inner);
      if (!inner || !seen.insert(inner).second) continue;
    }
    if (count_tensors(*inner) >= least) found[std::string(key)] = inner;
  }
  return found;
}

const PickledDictionary& choose_dictionary(const PickledValue& value) {
  const PickledDictionary* checkpoint = dictionary_in(value);
  std::map<std::string, const PickledDictionary*> inner;
  if (checkpoint) inner = inner_dictionaries(*checkpoint);
  if (inner.size() == 1) return *inner.begin()->second;
  for (const char* key : kStateKeys) {
    if (const auto found = inner.find(key); found != inner.end()) return *found->second;
  }
  if (inner.size() > 1) {
    constexpr size_t kMostShown = 10;
    std::vector<std::string> keys;
    for (const auto& [key, dictionary] : inner) {
      if (keys.size() < kMostShown) keys.push_back("'" + key + "'");
    }
    if (inner.size() > kMostShown) keys.push_back("...");
    throw BadWeights(
        fmt::format("holds {} dictionaries of tensors, under {}; expected one, or one under "
                    "'state_dict' (the converter takes one out with --key)",
                    inner.size(), fmt::join(keys, ", ")),
        /*for_python=*/true);
  }
  if (checkpoint && count_tensors(*checkpoint) > 0) return *checkpoint;
  throw BadWeights(fmt::format(
      "holds {}; expected a dictionary of tensors, as torch.save(model.state_dict(), file) writes "
      "it",
      kind_of(value)));
}

std::string type_name(const PickledName& type) {
  const auto known = kTypes.find(type.name);
  return known != kTypes.end() ? known->second : std::string(type.name);
}

// The entries of a zip file below the folder that PyTorch gave them.
class Archive {
 public:
  explicit Archive(std::string_view file) : file_(file), entries_(read_zip_directory(file)) {
    for (const auto& [name, entry] : entries_) {
      if (name != "data.pkl" && !name.ends_with("/data.pkl")) continue;
      folder_ = name.substr(0, name.size() - std::string_view("data.pkl").size());
      return;
    }
    throw BadWeights("is a zip file without a data.pkl, so PyTorch did not write it");
  }

  // Its bytes lie within the file.
  const StoredValues& find(const std::string& name) const {
    const auto found = entries_.find(folder_ + name);
    if (found == entries_.end())
      throw BadWeights(fmt::format("is damaged: the zip file holds no '{}{}'", folder_, name));
    if (found->second.is_plain) return found->second.content;
    throw BadWeights(
        fmt::format("cannot be read: '{}{}' in the zip file is compressed", folder_, name),
        /*for_python=*/true);
  }

  std::string_view read(const std::string& name) const {
    const StoredValues& content = find(name);
    return file_.substr(content.begin, content.size);
  }

  void expect_little_endian() const {
    if (entries_.count(folder_ + "byteorder") != 0 && read("byteorder") == "big")
      throw BadWeights("cannot be read: its values are big-endian", /*for_python=*/true);
  }

 private:
  std::string_view file_;
  std::map<std::string, ZipEntry> entries_;
  std::string folder_;
};

}  // namespace

TensorIndex index_torch_file(std::string_view file) {
  const Archive archive(file);
  archive.expect_little_endian();
  const std::string_view bytes = archive.read("data.pkl");
  if (bytes.size() > kMostPickleBytes) {
    throw BadWeights(fmt::format("cannot be read: its pickle has {} bytes; expected at most {}",
                                 bytes.size(), kMostPickleBytes),
                     /*for_python=*/true);
  }
  const Pickle pickle(bytes);
  TensorIndex tensors;
  std::set<std::string_view> read;
  uint64_t size = 0;
  for (const auto& [name, value] : choose_dictionary(pickle.value()).entries) {
    const PickledTensor* found = tensor_in(value);
    if (!found) continue;
    const auto& [storage, shape, strides, offset] = *found;
    StoredTensor tensor{type_name(storage.type), shape, strides, offset,
                        archive.find("data/" + std::string(storage.key))};
    expect_within_values(std::string(name), tensor);
    if (read.insert(storage.key).second) size += tensor.values.size;
    tensors.insert_or_assign(std::string(name), std::move(tensor));
  }
  if (size > file.size()) throw BadWeights("is damaged: its tensors' values lie over each other");
  return tensors;
}

}  // namespace qbitopt
