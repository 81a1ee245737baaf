#include "qbitopt/job/event.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

// One list of fields per struct serves both directions.
struct Writer {
  Json json = Json::object();
  template <typename T>
  void operator()(const char* name, const T& value) {
    json[name] = value;
  }
  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) {
    if (value) json[name] = *value;
  }
  template <typename T, typename Describe>
  void list(const char* name, const std::vector<T>& values, Describe describe) {
    json[name] = Json::array();
    for (const T& value : values) {
      Writer inner;
      describe(const_cast<T&>(value), inner);
      json[name].push_back(inner.json);
    }
  }
};

// Whole numbers that a double holds exactly: none of them overflows where it is counted on.
constexpr int64_t kLargest = int64_t{1} << 53;

int64_t whole_number(const Json& json, int64_t most) {
  const int64_t number = json.is_number_integer() ? json.get<int64_t>() : most + 1;
  const bool is_larger = json.is_number_unsigned() && json.get<uint64_t>() > uint64_t{kLargest};
  if (is_larger || number > most || number < -most) {
    throw InputError("not an event: expected a whole number of at most " + std::to_string(most));
  }
  return number;
}

// Values as Writer wrote them, and no others: JSON's own conversions cut off what does not fit.
template <typename T>
void read_value(const Json& json, std::vector<T>& values);
template <typename T>
void read_value(const Json& json, std::map<std::string, T>& values);
template <typename T>
void read_value(const Json& json, std::map<int, T>& values);

template <typename T>
void read_value(const Json& json, T& value) {
  if constexpr (std::is_same_v<T, int>) {
    value = static_cast<int>(whole_number(json, std::numeric_limits<int>::max()));
  } else if constexpr (std::is_same_v<T, int64_t>) {
    value = whole_number(json, kLargest);
  } else if constexpr (std::is_same_v<T, double>) {
    value = json.is_null() ? std::nan("") : json.get<double>();  // JSON has no NaN and no infinity
  } else {
    json.get_to(value);
  }
}

template <typename T>
void read_value(const Json& json, std::vector<T>& values) {
  for (const Json& item : json.get_ref<const Json::array_t&>())
    read_value(item, values.emplace_back());
}

template <typename T>
void read_value(const Json& json, std::map<std::string, T>& values) {
  for (const auto& [name, item] : json.get_ref<const Json::object_t&>())
    read_value(item, values[name]);
}

template <typename T>
void read_value(const Json& json, std::map<int, T>& values) {
  for (const Json& pair : json.get_ref<const Json::array_t&>()) {
    int key = 0;
    read_value(pair.at(0), key);
    read_value(pair.at(1), values[key]);
  }
}

struct Reader {
  const Json& json;
  template <typename T>
  void operator()(const char* name, T& value) {
    read_value(json.at(name), value);
  }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) {
    if (json.contains(name)) read_value(json.at(name), value.emplace());
  }
  template <typename T, typename Describe>
  void list(const char* name, std::vector<T>& values, Describe describe) {
    for (const Json& item : json.at(name)) {
      Reader inner{item};
      values.emplace_back();
      describe(values.back(), inner);
    }
  }
};

template <typename F>
void fields(Started& e, F& f) {
  f("host", e.host), f("pid", e.pid), f("device", e.device), f("threads", e.threads);
  f("environment", e.environment), f("resumed_from_step", e.resumed_from_step);
}
template <typename F>
void fields(QuantizerInfo& q, F& f) {
  f("name", q.name), f("kind", q.kind), f("elements", q.elements), f("macs", q.macs);
  f("counted", q.counted), f("pinned_bits", q.pinned_bits), f("share", q.share);
}
template <typename F>
void fields(BudgetState& b, F& f) {
  f("group", b.group), f("limit", b.limit), f("achieved", b.achieved);
}
constexpr auto kFields = [](auto& value, auto& f) { fields(value, f); };
template <typename F>
void fields(Inventory& e, F& f) {
  f.list("quantizers", e.quantizers, kFields);
}
template <typename F>
void fields(Metrics& e, F& f) {
  f("step", e.step), f("split", e.split), f("values", e.values);
}
template <typename F>
void fields(NonFinite& e, F& f) {
  f("step", e.step), f("name", e.name), f("value", e.value);
}
template <typename F>
void fields(Reallocation& e, F& f) {
  f("step", e.step), f("solver", e.solver), f("status", e.status), f("objective", e.objective),
      f("bound", e.bound);
  f("gap", e.gap), f("solve_microseconds", e.solve_microseconds),
      f("sensitivity_seconds", e.sensitivity_seconds);
  f.list("budgets", e.budgets, kFields);
  f("bits", e.bits), f("sensitivities", e.sensitivities), f("ranges", e.ranges);
  f("costs", e.costs), f("cost_unit", e.cost_unit);
}
template <typename F>
void fields(Progress& e, F& f) {
  f("step", e.step), f("total_steps", e.total_steps), f("phase", e.phase), f("loss", e.loss),
      f("top1", e.top1);
  f("average_bits", e.average_bits);
}
template <typename F>
void fields(Artifact& e, F& f) {
  f("name", e.name), f("path", e.path), f("sha256", e.sha256), f("bytes", e.bytes);
}
template <typename F>
void fields(Note& e, F& f) {
  f("level", e.level), f("text", e.text);
}
template <typename F>
void fields(Finished& e, F& f) {
  f("steps", e.steps), f("results", e.results), f("bits", e.bits);
  f.list("budgets", e.budgets, kFields);
  f("all_tensor_bits", e.all_tensor_bits), f("weight_bytes", e.weight_bytes),
      f("budget_met", e.budget_met);
  f("seconds", e.seconds), f("train_seconds", e.train_seconds),
      f("reallocation_seconds", e.reallocation_seconds);
  f("peak_memory_bytes", e.peak_memory_bytes);
}
template <typename F>
void fields(Failed& e, F& f) {
  f("error_class", e.error_class), f("text", e.text);
}

// In the variant's order.
constexpr const char* kTypes[] = {"started",  "inventory", "metrics", "non_finite", "reallocation",
                                  "progress", "artifact",  "note",    "finished",   "failed"};

template <size_t I = 0>
EventBody read_body(const std::string& type, const Json& json) {
  if constexpr (I == std::variant_size_v<EventBody>) {
    throw InputError("an event of unknown type '" + type + "'");
  } else {
    if (type != kTypes[I]) return read_body<I + 1>(type, json);
    std::variant_alternative_t<I, EventBody> body;
    Reader reader{json};
    fields(body, reader);
    return body;
  }
}

}  // namespace

std::string to_line(const Event& event) {
  Writer writer;
  writer("n", event.number);
  writer("t", event.unix_seconds);
  writer("type", kTypes[event.body.index()]);
  std::visit(
      [&](const auto& body) { fields(const_cast<std::decay_t<decltype(body)>&>(body), writer); },
      event.body);
  return writer.json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Event parse_event(const std::string& line) {
  try {
    const Json json = Json::parse(line);
    Event event;
    Reader reader{json};
    reader("n", event.number);
    reader("t", event.unix_seconds);
    if (event.number < 1 || !std::isfinite(event.unix_seconds))
      throw InputError("not an event: its number or its time is none");
    event.body = read_body(json.at("type").get<std::string>(), json);
    return event;
  } catch (const Json::exception& error) {
    throw InputError(std::string("not an event: ") + error.what());
  }
}

}  // namespace qbitopt
