#include "qbitopt/weights/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {
namespace {

[[noreturn]] void refuse_pickle(const std::string& why) {
  throw BadWeights("cannot be read as what torch.save writes: " + why, /*for_python=*/true);
}

bool is(const PickledName& name, std::string_view module, std::string_view own) {
  return name.module == module && name.name == own;
}

template <typename Kind>
Kind expect(const PickledValue& value, const char* what) {
  const Kind* found = std::get_if<Kind>(&value);
  if (!found) refuse_pickle(std::string("expected ") + what + " in it");
  return *found;
}

std::vector<int64_t> numbers(const PickledValue& value) {
  constexpr size_t kMostDimensions = 64;
  const auto& items = expect<const PickledTuple*>(value, "a tuple of numbers")->items;
  if (items.size() > kMostDimensions) refuse_pickle("a tensor in it has too many dimensions");
  std::vector<int64_t> numbers;
  for (const PickledValue& item : items) numbers.push_back(expect<int64_t>(item, "a number"));
  return numbers;
}

}  // namespace

// The machine that a pickle is a program for; Python's pickletools describes its instructions.
class Unpickler {
 public:
  Unpickler(std::string_view bytes, Pickle& pickle) : bytes_(bytes), pickle_(pickle) {}

  PickledValue run() {
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
      case '\x95':  // FRAME
        take(8);
        return;
      case '(':
        return marks_.push_back(stack_.size());
      case '0':
        pop();
        return;
      case '1':
        pop_to_mark();
        return;
      case '2':
        return push(PickledValue(top()));
      // None and numbers
      case 'N':
        return push({});
      case '\x88':
      case '\x89':
        return push(int64_t{opcode == '\x88'});
      case 'K':
        return push(static_cast<int64_t>(number<uint8_t>()));
      case 'M':
        return push(static_cast<int64_t>(number<uint16_t>()));
      case 'J':
        return push(static_cast<int64_t>(number<int32_t>()));
      case '\x8a':
        return push(long_number(number<uint8_t>()));
      case '\x8b':
        return push(long_number(number<uint32_t>()));
      case 'G':
        take(8);
        return push({});
      // Texts and bytes
      case '\x8c':
      case 'U':
      case 'C':
        return push(take(number<uint8_t>()));
      case 'X':
      case 'T':
      case 'B':
        return push(take(number<uint32_t>()));
      case '\x8d':
      case '\x8e':
      case '\x96':
        return push(take(number<uint64_t>()));
      // Containers. Lists and sets hold nothing that is wanted.
      case ')':
        return push_tuple({});
      case '\x85':
      case '\x86':
      case '\x87':
        marks_.push_back(stack_.size() - std::min<size_t>(stack_.size(), opcode - '\x84'));
        return push_tuple(pop_to_mark());
      case 't':
        return push_tuple(pop_to_mark());
      case ']':
      case '\x8f':
        return push({});
      case 'l':
      case '\x91':
        pop_to_mark();
        return push({});
      case 'a':
        pop();
        return;
      case 'e':
      case '\x90':
        pop_to_mark();
        return;
      case '}':
        return push_dictionary({});
      case 'd': {
        const std::vector<PickledValue> items = pop_to_mark();
        push_dictionary({});
        return set_items(items);
      }
      case 's': {
        const PickledValue value = pop(), key = pop();
        return set_items({key, value});
      }
      case 'u':
        return set_items(pop_to_mark());
      // Remembered values
      case '\x94':
        return remember(static_cast<uint32_t>(memo_.size()));
      case 'q':
        return remember(number<uint8_t>());
      case 'r':
        return remember(number<uint32_t>());
      case 'h':
        return recall(number<uint8_t>());
      case 'j':
        return recall(number<uint32_t>());
      // Names, objects and calls
      case 'c': {
        const std::string_view module = line();
        return push(PickledName{module, line()});
      }
      case '\x93': {
        const PickledValue name = pop(), module = pop();
        return push(PickledName{expect<std::string_view>(module, "a module's name"),
                                expect<std::string_view>(name, "a class's name")});
      }
      case 'Q':
        return push(storage(pop()));
      case '\x92':  // NEWOBJ_EX: with named arguments
        pop();
        [[fallthrough]];
      case 'R':
      case '\x81': {  // NEWOBJ
        const PickledValue arguments = pop();
        return push(call(pop(), arguments));
      }
      case 'b':  // attributes
        pop();
        return;
      default:
        refuse_pickle(fmt::format("unknown instruction {} at byte {} of the pickle in it",
                                  static_cast<uint8_t>(opcode), at_ - 1));
    }
  }

  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - at_) refuse_pickle("the pickle in it ends too early");
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  template <typename Number>
  Number number() {
    Number value;
    std::memcpy(&value, take(sizeof(value)).data(), sizeof(value));
    return value;
  }
  PickledValue long_number(uint32_t size) {
    const std::string_view digits = take(size);
    if (size > sizeof(int64_t)) return {};
    int64_t value = size > 0 && (digits.back() & 0x80) ? -1 : 0;
    std::memcpy(&value, digits.data(), size);
    return value;
  }
  std::string_view line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) refuse_pickle("the pickle in it ends too early");
    const std::string_view text = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }

  void push(PickledValue value) { stack_.push_back(value); }
  void push_tuple(std::vector<PickledValue> items) {
    pickle_.tuples_.push_back({std::move(items)});
    push(&pickle_.tuples_.back());
  }
  void push_dictionary(const PickledName& type) {
    pickle_.dictionaries_.push_back({type, {}});
    push(&pickle_.dictionaries_.back());
  }
  PickledValue& top() {
    if (stack_.empty()) refuse_pickle("the pickle in it takes more than it has");
    return stack_.back();
  }
  PickledValue pop() {
    const PickledValue value = top();
    stack_.pop_back();
    return value;
  }
  std::vector<PickledValue> pop_to_mark() {
    if (marks_.empty() || marks_.back() > stack_.size())
      refuse_pickle("the pickle in it has no mark");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickledValue> values(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return values;
  }

  void set_items(const std::vector<PickledValue>& items) {
    PickledDictionary* const* dictionary = std::get_if<PickledDictionary*>(&top());
    if (!dictionary) return;
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      if (const auto* key = std::get_if<std::string_view>(&items[i]))
        (*dictionary)->entries.emplace_back(*key, items[i + 1]);
    }
  }

  void remember(uint32_t place) { memo_[place] = top(); }
  void recall(uint32_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) refuse_pickle("the pickle in it asks for what it has not remembered");
    push(found->second);
  }

  // ("storage", type, key, device, number of values)
  static PickledStorage storage(const PickledValue& id) {
    const auto* tuple = std::get_if<const PickledTuple*>(&id);
    if (!tuple || (*tuple)->items.size() < 3) refuse_pickle("it names values in an unknown way");
    return {expect<PickledName>((*tuple)->items[1], "a storage's type"),
            expect<std::string_view>((*tuple)->items[2], "a storage's key")};
  }

  PickledValue call(const PickledValue& function, const PickledValue& arguments) {
    static const PickledTuple none;
    const auto* name = std::get_if<PickledName>(&function);
    const auto* tuple = std::get_if<const PickledTuple*>(&arguments);
    const std::vector<PickledValue>& given = (tuple ? **tuple : none).items;
    if (!name) return {};
    // (function, class, its arguments, attributes): a tensor with attributes
    const bool has_attributes = is(*name, "torch._tensor", "_rebuild_from_type_v2");
    if (has_attributes && given.size() >= 3) {
      const auto* inner = std::get_if<const PickledTuple*>(&given[2]);
      const auto* maker = std::get_if<PickledName>(&given[0]);
      return inner && maker ? made(*maker, (*inner)->items) : PickledValue();
    }
    return made(*name, given);
  }

  PickledValue made(const PickledName& name, const std::vector<PickledValue>& given) {
    const bool is_tensor =
        name.module == "torch._utils" && name.name.starts_with("_rebuild_tensor");
    if (is_tensor && given.size() >= 4) return tensor(given);
    const bool passes_on = is(name, "torch._utils", "_rebuild_parameter") ||
                           is(name, "torch._utils", "_rebuild_parameter_with_state") ||
                           is(name, "torch.jit._pickle", "restore_type_tag");
    if (passes_on && !given.empty()) return given[0];
    const bool is_dictionary = is(name, "collections", "OrderedDict");
    pickle_.dictionaries_.push_back({is_dictionary ? PickledName() : name, {}});
    return &pickle_.dictionaries_.back();
  }

  // (storage, offset, shape, strides, ...); the third kind has the type of its values at place 6.
  PickledValue tensor(const std::vector<PickledValue>& given) {
    PickledTensor tensor{expect<PickledStorage>(given[0], "a storage"), numbers(given[2]),
                         numbers(given[3]), expect<int64_t>(given[1], "a number")};
    if (given.size() > 6) {
      if (const auto* type = std::get_if<PickledName>(&given[6])) tensor.storage.type = *type;
    }
    pickle_.tensors_.push_back(std::move(tensor));
    return &pickle_.tensors_.back();
  }

  std::string_view bytes_;
  Pickle& pickle_;
  uint64_t at_ = 0;
  std::vector<PickledValue> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, PickledValue> memo_;
};

const PickledValue* PickledDictionary::find(std::string_view key) const {
  const auto found = std::find_if(entries.rbegin(), entries.rend(),
                                  [&](const auto& entry) { return entry.first == key; });
  return found == entries.rend() ? nullptr : &found->second;
}

Pickle::Pickle(std::string_view bytes) { value_ = Unpickler(bytes, *this).run(); }

}  // namespace qbitopt
