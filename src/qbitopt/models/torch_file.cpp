#include "qbitopt/models/torch_file.h"

#include <caffe2/serialize/inline_container.h>

#include <bit>
#include <cstring>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using c10::IValue;
using torch::Tensor;

struct BadPickle : std::runtime_error {
  using std::runtime_error::runtime_error;
};

const std::map<std::string, torch::ScalarType> kStorages = {
    {"torch.DoubleStorage", torch::kFloat64}, {"torch.FloatStorage", torch::kFloat32},
    {"torch.HalfStorage", torch::kFloat16},   {"torch.BFloat16Storage", torch::kBFloat16},
    {"torch.LongStorage", torch::kInt64},     {"torch.IntStorage", torch::kInt32},
    {"torch.ShortStorage", torch::kInt16},    {"torch.CharStorage", torch::kInt8},
    {"torch.ByteStorage", torch::kUInt8},     {"torch.BoolStorage", torch::kBool}};

// The pickle machine (Python's pickletools describes it) for protocol 2, as far as values go. A
// name of Python's ("collections.OrderedDict") is text on the stack.
class Unpickler {
 public:
  // The values of one storage, flat.
  using ReadStorage = std::function<Tensor(torch::ScalarType type, const std::string& key)>;

  Unpickler(std::string_view bytes, ReadStorage read_storage)
      : bytes_(bytes), read_storage_(std::move(read_storage)) {}

  IValue run() {
    while (true) {
      const char opcode = take(1).front();
      if (opcode == '.') return pop();
      step(opcode);
    }
  }

 private:
  void step(char opcode) {
    switch (opcode) {
      case '\x80':  // PROTO
        take(1);
        return;
      case '(':
        marks_.push_back(stack_.size());
        return;
      case 'N':
        return push(IValue());
      case '\x88':
      case '\x89':
        return push(opcode == '\x88');
      case 'K':
        return push(static_cast<int64_t>(number<uint8_t>()));
      case 'M':
        return push(static_cast<int64_t>(number<uint16_t>()));
      case 'J':
        return push(static_cast<int64_t>(number<int32_t>()));
      case '\x8a':
        return push(long_number(number<uint8_t>()));
      case 'G':
        return push(std::bit_cast<double>(__builtin_bswap64(number<uint64_t>())));
      case 'X':
        return push(std::string(take(number<uint32_t>())));
      case 'U':
        return push(std::string(take(number<uint8_t>())));
      case 'c': {
        const std::string module(line());
        return push(module + "." + std::string(line()));
      }
      case ')':
        return push(c10::ivalue::Tuple::create({}));
      case '\x85':
      case '\x86':
      case '\x87':
        marks_.push_back(stack_.size() - std::min<size_t>(stack_.size(), opcode - '\x84'));
        return push(c10::ivalue::Tuple::create(pop_to_mark()));
      case 't':
        return push(c10::ivalue::Tuple::create(pop_to_mark()));
      case '}':
        return push(c10::impl::GenericDict(c10::AnyType::get(), c10::AnyType::get()));
      case ']':
        return push(c10::impl::GenericList(c10::AnyType::get()));
      case 'a':
        pop();  // lists hold nothing that is wanted
        return;
      case 'e':
        pop_to_mark();
        return;
      case 's': {
        const IValue value = pop(), key = pop();
        return set_item(key, value);
      }
      case 'u': {
        const std::vector<IValue> items = pop_to_mark();
        for (size_t i = 0; i + 1 < items.size(); i += 2) set_item(items[i], items[i + 1]);
        return;
      }
      case 'q':
        memo_[number<uint8_t>()] = top();
        return;
      case 'r':
        memo_[number<uint32_t>()] = top();
        return;
      case 'h':
        return push(memo_.at(number<uint8_t>()));
      case 'j':
        return push(memo_.at(number<uint32_t>()));
      case 'Q':
        return push(storage(pop()));
      case 'R':
      case '\x81': {  // NEWOBJ calls, too
        const IValue arguments = pop();
        return push(call(pop(), arguments));
      }
      case 'b':  // attributes
        pop();
        return;
      default:
        throw BadPickle("unknown instruction " + std::to_string(static_cast<uint8_t>(opcode)) +
                        " at byte " + std::to_string(at_ - 1));
    }
  }

  std::string_view take(size_t count) {
    if (count > bytes_.size() - at_) throw BadPickle("it ends too early");
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  template <typename Number>
  Number number() {
    Number value;
    std::memcpy(&value, take(sizeof(value)).data(), sizeof(value));
    return value;
  }
  int64_t long_number(size_t size) {
    const std::string_view digits = take(size);
    if (size > sizeof(int64_t)) return 0;
    int64_t value = size > 0 && digits.back() < 0 ? -1 : 0;
    std::memcpy(&value, digits.data(), size);
    return value;
  }
  std::string_view line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) throw BadPickle("it ends too early");
    const std::string_view text = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }

  void push(IValue value) { stack_.push_back(std::move(value)); }
  IValue& top() {
    if (stack_.empty()) throw BadPickle("it takes more than it has");
    return stack_.back();
  }
  IValue pop() {
    IValue value = std::move(top());
    stack_.pop_back();
    return value;
  }
  std::vector<IValue> pop_to_mark() {
    if (marks_.empty() || marks_.back() > stack_.size()) throw BadPickle("it has no mark");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<IValue> values(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return values;
  }
  void set_item(const IValue& key, const IValue& value) {
    if (!top().isGenericDict()) return;
    if (key.isString()) top().toGenericDict().insert_or_assign(key, value);
  }

  static const std::vector<IValue>& no_items() {
    static const std::vector<IValue> none;
    return none;
  }
  static std::vector<IValue> items(const IValue& tuple) {
    return tuple.isTuple() ? tuple.toTupleRef().elements().vec() : no_items();
  }

  // ("storage", type, key, place, elements)
  IValue storage(const IValue& id) const {
    const std::vector<IValue> parts = items(id);
    if (parts.size() < 3 || !parts[1].isString() || !parts[2].isString()) {
      throw BadPickle("it names a storage in an unknown way");
    }
    const auto type = kStorages.find(parts[1].toStringRef());
    if (type == kStorages.end()) {
      throw BadPickle("it has values of the unknown type " + parts[1].toStringRef());
    }
    return read_storage_(type->second, parts[2].toStringRef());
  }

  IValue call(const IValue& function, const IValue& arguments) {
    const std::string name = function.isString() ? function.toStringRef() : "";
    const std::vector<IValue> given = items(arguments);
    if (name == "collections.OrderedDict") {
      return c10::impl::GenericDict(c10::AnyType::get(), c10::AnyType::get());
    }
    if (name == "torch._utils._rebuild_tensor_v2" && given.size() >= 4) {
      const Tensor& values = given[0].toTensor();
      return values.as_strided(sizes(given[2]), sizes(given[3]), given[1].toInt());
    }
    const bool passes_on =
        name == "torch._utils._rebuild_parameter" || name == "torch.jit._pickle.restore_type_tag";
    return passes_on && !given.empty() ? given[0] : IValue();
  }

  static std::vector<int64_t> sizes(const IValue& tuple) {
    std::vector<int64_t> sizes;
    for (const IValue& size : items(tuple)) sizes.push_back(size.toInt());
    return sizes;
  }

  std::string_view bytes_;
  ReadStorage read_storage_;
  size_t at_ = 0;
  std::vector<IValue> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, IValue> memo_;
};

IValue unpickle(const std::filesystem::path& file) {
  caffe2::serialize::PyTorchStreamReader zip(file.string());
  const auto [pickle, size] = zip.getRecord("data.pkl");
  std::map<std::string, Tensor> read;  // tensors may share a storage
  const auto read_storage = [&](torch::ScalarType type, const std::string& key) {
    const auto found = read.find(key);
    if (found != read.end()) return found->second;
    auto [data, bytes] = zip.getRecord("data/" + key);
    const auto owner = std::make_shared<at::DataPtr>(std::move(data));
    const Tensor values = torch::from_blob(
        owner->get(), {static_cast<int64_t>(bytes / c10::elementSize(type))}, [owner](void*) {},
        type);
    return read.emplace(key, values).first->second;
  };
  return Unpickler({static_cast<const char*>(pickle.get()), size}, read_storage).run();
}

}  // namespace

StateDict read_torch_file(const std::filesystem::path& file) {
  IValue content;
  std::string reason;
  try {
    content = unpickle(file);
  } catch (const c10::Error& error) {
    reason = error.what_without_backtrace();
  } catch (const std::exception& error) {
    reason = error.what();
  }
  if (!reason.empty()) {
    throw InputError(file.string() + ": cannot be read as what torch.save writes: " + reason +
                     "\nIf PyTorch can read it: .venv/bin/python tools/convert_weights.py " +
                     file.string() + " OUT.safetensors");
  }
  if (!content.isGenericDict()) {
    throw InputError(file.string() + ": holds a " + content.tagKind() +
                     "; expected a dictionary of tensors, as torch.save(model.state_dict(), file) "
                     "writes it");
  }
  auto dictionary = content.toGenericDict();
  for (const char* key : {"state_dict", "model", "state_dict_ema"}) {
    const auto found = dictionary.find(key);
    if (found == dictionary.end() || !found->value().isGenericDict()) continue;
    dictionary = found->value().toGenericDict();
    break;
  }
  StateDict tensors;
  for (const auto& entry : dictionary) {
    if (entry.value().isTensor())
      tensors.emplace(entry.key().toStringRef(), entry.value().toTensor());
  }
  if (tensors.empty()) throw InputError(file.string() + ": holds no tensors by name");
  return tensors;
}

}  // namespace qbitopt
