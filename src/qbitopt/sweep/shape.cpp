#include "qbitopt/sweep/shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "qbitopt/config/value.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/patterns.h"
#include "qbitopt/graph/quantizers.h"
#include "qbitopt/sweep/interpolation.h"

namespace qbitopt {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaximumNeedDepth = 8;

// Parameters whose value may be a .pt2 file.
bool names_network(std::string_view key) { return key == "model" || key == "teacher.model"; }

bool is_graph_file(const Json& value) {
  return value.is_string() && names_graph_file(value.get_ref<const std::string&>());
}

Json checked(const Slot& slot, const Json& value, const Place& place) {
  try {
    return normalized(*slot.spec, value);
  } catch (const InputError& error) {
    const bool is_stray_list = value.is_array() && slot.spec->type.rfind("list of ", 0) != 0;
    fail_at(place, "'" + slot.name + "' " + error.what() +
                       (is_stray_list ? "; to vary it write it below `grid:`" : ""));
  }
}

}  // namespace

const Slot* Shape::find(std::string_view name) const {
  const auto found =
      std::lower_bound(slots.begin(), slots.end(), name,
                       [](const Slot& slot, std::string_view key) { return slot.name < key; });
  return found != slots.end() && found->name == name ? &*found : nullptr;
}

const Json& Shape::value(std::string_view name, const Point& point) const {
  static const Json absent;
  const Slot* slot = find(name);
  return slot ? slot->values[slot->row(point)] : absent;
}

int64_t Shape::data_fact(std::string_view key, int64_t Manifest::*entry, const Point& point) const {
  const Json& given = value(key, point);
  if (given.is_number_integer()) return given.get<int64_t>();
  return data ? data->*entry : 0;
}

uint64_t Shape::relevant_rows(const Point& point, const std::vector<Dimension>& dimensions) const {
  uint64_t index = 0;
  for (const size_t dimension : relevant)
    index = index * dimensions[dimension].rows.size() + point[dimension];
  return index;
}

ShapeBuilder::ShapeBuilder(const Block& block, const std::vector<Dimension>& dimensions,
                           const std::set<std::string>& extra_axes, const Catalog& catalog,
                           DataFingerprints& fingerprints)
    : block_(block),
      dimensions_(dimensions),
      extra_axes_(extra_axes),
      catalog_(catalog),
      fingerprints_(fingerprints) {
  for (size_t dimension = 0; dimension < dimensions_.size(); ++dimension) {
    const auto& keys = dimensions_[dimension].keys;
    for (size_t column = 0; column < keys.size(); ++column)
      columns_[keys[column]] = {static_cast<int>(dimension), column};
  }
  find_choosing_dimensions();
}

void ShapeBuilder::find_choosing_dimensions() {
  // They decide which files there are, and whether the files fit the data.
  std::set<std::string> choosing = {"data.root",       "data.classes",       "data.image_channels",
                                    "data.image_size", "weights.root",       "quantizers.skip",
                                    "quantizers.pin",  "quantizers.products"};
  for (const auto& [key, spec] : catalog_.keys()) {
    if (!is_value_type(spec->type)) choosing.insert(key);
  }
  for (const Manifest& manifest : catalog_.manifests()) {
    for (const auto& [name, need] : manifest.needs) {
      if (!need.if_given.empty()) choosing.insert(need.if_given);
      for (const auto& [key, value] : need.changes.items()) {
        if (const auto referenced = Need::referenced_key(value)) choosing.insert(*referenced);
      }
    }
  }
  // A value that refers to an axis has one value in a shape.
  const auto add_referenced = [&](const Settings& settings) {
    for (const Setting& setting : settings) {
      for (const std::string& key : referenced_keys(setting.value.json())) choosing.insert(key);
    }
  };
  add_referenced(block_.set);
  for (const auto& when : block_.when) add_referenced(when->set);
  for (const NeedSetting& need : block_.needs) add_referenced(need.changes);
  for (const Dimension& dimension : dimensions_) {
    for (const auto& row : dimension.rows) {
      for (const AxisValue& value : row) {
        for (const std::string& key : referenced_keys(value.value)) choosing.insert(key);
      }
    }
  }
  for (size_t dimension = 0; dimension < dimensions_.size(); ++dimension) {
    const auto& keys = dimensions_[dimension].keys;
    if (std::any_of(keys.begin(), keys.end(),
                    [&](const std::string& key) { return choosing.count(key) != 0; })) {
      choosing_.push_back(dimension);
    }
  }
}

Shape& ShapeBuilder::at(const Point& point, uint64_t fired, const Variant* variant) {
  uint64_t chosen = 0;
  for (const size_t dimension : choosing_)
    chosen = chosen * dimensions_[dimension].rows.size() + point[dimension];
  std::unique_ptr<Shape>& shape = shapes_[{fired, variant}][chosen];
  if (!shape) shape = build({point, fired, variant});
  return *shape;
}

std::optional<ShapeBuilder::Source> ShapeBuilder::source_of(const std::string& key,
                                                            const Origin& origin) const {
  std::optional<Source> source = written_source(key, origin);
  if (source) resolve(*source, key, origin, {});
  return source;
}

void ShapeBuilder::resolve(Source& source, const std::string& key, const Origin& origin,
                           const std::vector<std::string>& chain) const {
  std::vector<std::string> longer = chain;
  longer.push_back(key);
  for (size_t row = 0; row < source.values.size(); ++row) {
    if (!source.values[row].is_string() && !source.values[row].is_array()) continue;
    source.values[row] = interpolated(
        source.values[row], source.places[row], [&](const std::string& other, const Place& at) {
          if (std::find(longer.begin(), longer.end(), other) != longer.end()) {
            fail_at(at, fmt::format("'{}' refers to itself: {} -> {}", other,
                                    fmt::join(longer, " -> "), other));
          }
          std::optional<Source> found = written_source(other, origin);
          if (!found) found = Source{{catalog_.keys().find(other)->second->default_value}, {at}};
          resolve(*found, other, origin, longer);
          const Json& value = found->values[0];  // referenced dimensions choose the shape
          if (value.is_null())
            fail_at(at, "'" + other + "' has no value here; set it below `set:`");
          return value;
        });
  }
}

// The changes of a need override `when`, which overrides the product, which overrides the
// constants.
std::optional<ShapeBuilder::Source> ShapeBuilder::written_source(const std::string& key,
                                                                 const Origin& origin) const {
  const auto constant = [](const Setting& setting) {
    return Source{{setting.value.json()}, {setting.value.place}};
  };
  if (origin.variant) {
    for (auto changes = origin.variant->changes.rbegin(); changes != origin.variant->changes.rend();
         ++changes) {
      if (const Setting* setting = changes->find(key)) return constant(*setting);
    }
  }
  const bool is_fixed =
      std::find(block_.fixed.begin(), block_.fixed.end(), key) != block_.fixed.end();
  for (size_t i = block_.when.size(); !is_fixed && i-- > 0;) {
    if (!(origin.fired >> i & 1)) continue;
    if (const Setting* setting = block_.when[i]->set.find(key)) return constant(*setting);
  }
  if (const auto found = columns_.find(key); found != columns_.end()) {
    const auto [dimension, column] = found->second;
    const auto& rows = dimensions_[static_cast<size_t>(dimension)].rows;
    const bool is_chosen =
        std::find(choosing_.begin(), choosing_.end(), dimension) != choosing_.end();
    if (is_chosen) {
      const AxisValue& value = rows[origin.point[static_cast<size_t>(dimension)]][column];
      return Source{{value.value}, {value.place}};
    }
    Source source{.dimension = dimension};
    for (const auto& row : rows) {
      source.values.push_back(row[column].value);
      source.places.push_back(row[column].place);
    }
    return source;
  }
  if (const Setting* setting = block_.set.find(key)) return constant(*setting);
  return std::nullopt;
}

std::string ShapeBuilder::part_name(const std::string& key, const ParameterSpec& spec,
                                    const Source& source) const {
  const Json& value = source.values[0];
  if (!value.is_string())
    fail_at(source.places[0],
            "'" + key + "' expects the name of a " + spec.type + ", found " + shown(value));
  const std::string name = value.get<std::string>();
  if (!catalog_.find(spec.type, name)) {
    fail_at(source.places[0], catalog_.unknown_part(spec.type, name));
  }
  return name;
}

Slot ShapeBuilder::make_slot(const Schema::Entry& entry, const Origin& origin) const {
  Slot slot{.name = entry.name, .spec = entry.spec};
  const std::optional<Source> source = source_of(entry.name, origin);
  const size_t count = source ? source->values.size() : 1;
  if (source && count > 1) slot.dimension = source->dimension;
  for (size_t row = 0; row < count; ++row) {
    const bool is_given = source && !source->values[row].is_null();
    const Place place = source ? source->places[row] : Place{};
    slot.values.push_back(is_given ? checked(slot, source->values[row], place)
                                   : entry.spec->default_value);
    slot.places.push_back(place);
    if (slot.values.back().is_null() && entry.spec->required) {
      const bool is_part = !is_value_type(entry.spec->type);
      fail_at(
          block_.place,
          "'" + entry.name + "' is missing; give it below `set:`" +
              (is_part ? "; known " + entry.spec->type +
                             fmt::format("s: {}", fmt::join(catalog_.names(entry.spec->type), ", "))
                       : " (" + entry.spec->description + ")"));
    }
    Json identity = slot.values.back();
    if (names_network(entry.name) && is_graph_file(identity)) {
      // A .pt2 file is identified by its content: see fingerprint_graph(). A teacher's file is
      // identified by the job that trains the teacher.
      identity = catalog_.get("model", identity.get<std::string>()).name;
      if (entry.name == "model")  // shown by its name
        slot.values.back() = fs::path(slot.values.back().get<std::string>()).filename().string();
    }
    slot.fragments.push_back(identity_fragment(entry.name, *entry.spec, identity));
  }
  return slot;
}

std::unique_ptr<Shape> ShapeBuilder::build(const Origin& origin) {
  const Schema schema = catalog_.schema([&](const std::string& key) -> std::optional<std::string> {
    const std::optional<Source> source = source_of(key, origin);
    if (!source || source->values[0].is_null()) return std::nullopt;
    return part_name(key, *catalog_.keys().find(key)->second, *source);
  });
  auto shape = std::make_unique<Shape>();
  for (const Schema::Entry& entry : schema.parameters) {
    shape->slots.push_back(make_slot(entry, origin));
    applied_.insert(entry.name);
  }
  for (const Slot& slot : shape->slots) {
    if (slot.dimension < 0) continue;
    shape->varying.push_back(&slot);
    const auto dimension = static_cast<size_t>(slot.dimension);
    auto& relevant = shape->relevant;
    if (std::find(relevant.begin(), relevant.end(), dimension) == relevant.end())
      relevant.push_back(dimension);
  }
  shape->seed = shape->find("seed");
  shape->model = schema.part("model");
  shape->data = schema.part("data");
  add_needs(*shape, schema, origin);
  share(*shape, schema, origin);
  std::string files;
  if (shape->data)
    files = fingerprint(*shape, *shape->data, {"data.root", "data.name"}, origin.point);
  if (is_graph_file(shape->value("model", origin.point))) {
    files += " " + fingerprint_graph(*shape, origin);
  } else if (!shape->value("weights.root", origin.point).is_null()) {
    files += " " + fingerprint(*shape, *shape->model, {"weights.root", "model"}, origin.point);
    check_weights(*shape, origin.point);
  }
  shape->frame = identity_frame(schema.versions, files);
  shape->identity.emplace_back();
  for (const Slot& slot : shape->slots) {
    if (slot.dimension < 0 && &slot != shape->seed) {
      shape->identity.back().text += slot.fragments[0];
    } else {
      shape->identity.back().slot = &slot;
      shape->identity.emplace_back();
    }
  }
  return shape;
}

void ShapeBuilder::add_needs(Shape& shape, const Schema& schema, const Origin& origin) {
  const Manifest* method = schema.part("method");
  if (!method) return;
  if (!origin.variant) expect_no_stray_need(*method);
  for (const Manifest* manifest : schema.manifests) {
    for (const auto& [name, declared] : manifest->needs) {
      if (declared.if_given.empty() || !shape.value(declared.if_given, origin.point).is_null())
        add_need(shape, *method, name, declared, origin);
    }
  }
}

void ShapeBuilder::add_need(Shape& shape, const Manifest& method, const std::string& name,
                            const Need& declared, const Origin& origin) {
  const auto given = std::find_if(block_.needs.begin(), block_.needs.end(),
                                  [&](const NeedSetting& need) { return need.name == name; });
  // `needs:` of a sweep is about the jobs of the sweep, not about the jobs that they need.
  if (declared.is_optional && (origin.variant || given == block_.needs.end())) return;
  auto variant = std::make_unique<Variant>();
  if (origin.variant) *variant = *origin.variant;
  variant->methods.push_back(method.name);
  if (variant->methods.size() > kMaximumNeedDepth) {
    std::string chain;
    for (const std::string& step : variant->methods) chain += (chain.empty() ? "" : " -> ") + step;
    fail_at(block_.place,
            "the needs of '" + variant->methods[0] + "' form an endless chain: " + chain);
  }
  const bool is_given = given != block_.needs.end();
  variant->changes.push_back(is_given ? given->changes
                                      : need_changes(shape, declared, origin.point));
  shape.needs.push_back({name, is_given && given->artifact ? *given->artifact : declared.artifact,
                         variant.get(), variant->changes.back().find("seed") != nullptr});
  variants_.push_back(std::move(variant));
}

// Without this check, an optional need that the method does not have would be ignored.
void ShapeBuilder::expect_no_stray_need(const Manifest& method) const {
  for (const NeedSetting& need : block_.needs) {
    if (method.needs.count(need.name) != 0) continue;
    std::vector<std::string> able;
    for (const Manifest& manifest : catalog_.manifests()) {
      const auto declared = manifest.needs.find(need.name);
      if (declared != manifest.needs.end() && declared->second.is_optional)
        able.push_back(manifest.name);
    }
    if (able.empty()) continue;
    fail_at(need.place, "method '" + method.name + "' has no need '" + need.name +
                            fmt::format("'; methods that have it: {}", fmt::join(able, ", ")));
  }
}

Settings ShapeBuilder::need_changes(const Shape& shape, const Need& need,
                                    const Point& point) const {
  Settings changes;
  for (const auto& [key, value] : need.changes.items()) {
    Json actual = value;
    Place place = block_.place;
    if (const auto referenced = Need::referenced_key(value)) {
      const Slot* slot = shape.find(*referenced);
      if (!slot || slot->values[slot->row(point)].is_null()) continue;
      actual = slot->values[slot->row(point)];
      if (const Place& written = slot->places[slot->row(point)]; written.source) place = written;
    }
    changes.assign({key, place, YamlNode{.place = place, .scalar = actual}});
  }
  return changes;
}

void ShapeBuilder::share(Shape& shape, const Schema& schema, const Origin& origin) {
  auto shared = std::make_shared<JobShape>();
  for (const Slot& slot : shape.slots) {
    if (slot.dimension >= 0) {
      shared->varying.push_back(slot.name);
    } else if (!slot.values[0].is_null()) {
      shared->parameters[slot.name] = slot.values[0];
    }
    if (origin.variant) continue;  // a needed job stands in no grid
    const auto column = columns_.find(slot.name);
    const bool is_axis = column != columns_.end() &&
                         !dimensions_[static_cast<size_t>(column->second.first)].is_seeds;
    if (is_axis || extra_axes_.count(slot.name) != 0) shared->axes.push_back(slot.name);
  }
  shared->versions = schema.versions;
  for (const ShapeNeed& need : shape.needs) shared->artifacts[need.name] = need.artifact;
  const Manifest* method = schema.part("method");
  shared->guarantees_budget = !method || method->guarantees_budget;
  // Where the code lies does not affect the result: not part of the identity.
  if (method && !method->library.empty()) shared->parameters["plugin"] = method->library;
  for (const Slot& slot : shape.slots) {
    if (names_network(slot.name) && slot.values.size() == 1 && is_graph_file(slot.values[0]))
      shared->parameters[slot.name + ".file"] = graph_file(slot.name, origin).string();
  }
  shape.shared = std::move(shared);
}

std::string ShapeBuilder::fingerprint(const Shape& shape, const Manifest& part,
                                      const std::vector<std::string>& keys, const Point& point) {
  const Json& root = shape.value(keys.front(), point);
  const Json& classes = shape.value("data.classes", point);
  const bool has_classes = &part == shape.data && classes.is_number_integer();
  try {
    return part.name + ":" +
           fingerprints_.of(part, root.is_string() ? root.get<std::string>() : "",
                            has_classes ? classes.get<int64_t>() : 0);
  } catch (const InputError& error) {
    complain(shape, keys, error.what());
    return part.name;
  }
}

void ShapeBuilder::complain(const Shape& shape, const std::vector<std::string>& keys,
                            const std::string& fault) {
  for (const std::string& key : keys) {
    const Slot* slot = shape.find(key);
    if (slot && slot->places[0].source)
      return fingerprints_.complain(message_at(slot->places[0], fault));
  }
  fingerprints_.complain(fault);
}

fs::path ShapeBuilder::graph_file(const std::string& key, const Origin& origin) const {
  const Source source = *source_of(key, origin);
  const Place& place = source.places[0];
  const fs::path written = place.source ? fs::path(place.source->name) : fs::path();
  std::error_code unreadable;
  const bool is_in_file = fs::is_regular_file(written, unreadable);  // not on the command line
  try {
    const fs::path file = with_home(source.values[0].get<std::string>());
    return fs::absolute(is_in_file ? written.parent_path() / file : file).lexically_normal();
  } catch (const InputError& error) {
    fail_at(place, error.what());
  }
}

std::string ShapeBuilder::fingerprint_graph(const Shape& shape, const Origin& origin) {
  const std::string file = graph_file("model", origin).string();
  if (!shape.value("weights.root", origin.point).is_null()) {
    complain(shape, {"weights.root", "model"},
             "the weights of model '" + file + "' are in the file itself; leave weights.root out");
  }
  try {
    const DataFingerprints::GraphFile& found = fingerprints_.graph_file(file);
    const auto [data_shape, classes] = data_format(shape, origin.point);
    if (classes != 0 && classes != found.classes) {
      complain(shape, {"model"},
               fmt::format("model '{}' has {} classes, but the data set has {}; export a network "
                           "with as many outputs",
                           file, found.classes, classes));
    }
    check_images(shape, file, found.image_shape, data_shape);
    check_placement(shape, file, found.graph, origin.point);
    return "pt2_file:" + found.sha256;
  } catch (const InputError& error) {
    complain(shape, {"model"}, error.what());
    return "pt2_file";
  }
}

void ShapeBuilder::check_placement(const Shape& shape, const std::string& file, const Graph& graph,
                                   const Point& point) {
  const auto patterns = [&](const char* key) {
    const Json& given = shape.value(key, point);
    return given.is_array() ? given.get<std::vector<std::string>>() : std::vector<std::string>();
  };
  const QuantizerPlacement placement{.skip = patterns("quantizers.skip"),
                                     .products = shape.value("quantizers.products", point) == true};
  try {
    std::vector<std::string> names;
    for (const GraphSite& site : insert_quantizers(graph, placement).sites)
      names.push_back(site.name());
    const std::string unmatched = unmatched_pattern("quantizer", patterns("quantizers.pin"), names);
    if (!unmatched.empty()) {
      complain(shape, {"quantizers.pin"},
               "model '" + file + "' does not fit quantizers.pin: " + unmatched);
    }
  } catch (const BadGraph& error) {
    complain(shape, {placement.skip.empty() ? "quantizers.products" : "quantizers.skip"},
             "model '" + file + "' " + error.what());
  }
}

ShapeBuilder::DataFormat ShapeBuilder::data_format(const Shape& shape, const Point& point) {
  if (shape.data && shape.data->layout == "tensors") {
    const Json& root = shape.value("data.root", point);
    try {
      const auto& file = fingerprints_.tensor_file(*shape.data, root.get<std::string>());
      return {file.shape, file.classes};
    } catch (const InputError&) {
      return {};  // fingerprint() has reported it
    }
  }
  const int64_t size = shape.data_fact("data.image_size", &Manifest::image_size, point);
  return {{shape.data_fact("data.image_channels", &Manifest::image_channels, point), size, size},
          shape.data_fact("data.classes", &Manifest::classes, point)};
}

void ShapeBuilder::check_images(const Shape& shape, const std::string& file,
                                const std::vector<int64_t>& image_shape,
                                const std::vector<int64_t>& found) {
  if (found.empty()) return;
  const auto fits = [](int64_t expected, int64_t actual) {
    return expected < 0 || actual == 0 || expected == actual;  // any size, or not known
  };
  if (image_shape.size() == found.size() &&
      std::equal(image_shape.begin(), image_shape.end(), found.begin(), fits)) {
    return;
  }
  const auto text = [](const std::vector<int64_t>& sizes, int64_t unknown) {
    std::vector<std::string> texts;
    for (const int64_t axis : sizes)
      texts.push_back(axis == unknown ? "any" : std::to_string(axis));
    return fmt::to_string(fmt::join(texts, "x"));
  };
  complain(shape, {"model"},
           fmt::format("model '{}' takes images of {} (channels x height x width), but those of "
                       "the data set are {}; export it again with --input {}",
                       file, text(image_shape, -1), text(found, 0), text(found, 0)));
}

void ShapeBuilder::check_weights(const Shape& shape, const Point& point) {
  const int64_t classes = shape.data_fact("data.classes", &Manifest::classes, point);
  if (classes == 0) return;
  const std::string misfit =
      fingerprints_.misfit(*shape.model, shape.value("weights.root", point), classes);
  if (!misfit.empty()) complain(shape, {"weights.root", "model"}, misfit);
}

}  // namespace qbitopt
