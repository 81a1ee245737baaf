#include "qbitopt/graph/pt2_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "qbitopt/core/json.h"
#include "qbitopt/weights/zip_directory.h"

// The JSON's fields are those of the dataclasses in pytorch's torch/_export/serde/schema.py; a union
// is an object with one field, which names the kind: {"as_tensor": {"name": "x"}}.
namespace qbitopt {
namespace {

constexpr int64_t kSchemaMajor = 8;
// Of 100,000 operators. Reading takes up to 20 bytes of memory for each.
constexpr uint64_t kMostJsonBytes = 64'000'000;

constexpr const char* kExport =
    "tools/export_network.py writes one that fits (or torch.export.save, of a module in eval mode "
    "with a dynamic batch)";

// ScalarType of the schema, from 0 on.
constexpr std::array<const char*, 14> kTypes = {"?",   "U8",  "I8", "I16", "I32", "I64",  "F16",
                                                "F32", "F64", "?",  "?",   "?",   "BOOL", "BF16"};
const std::set<std::string> kTensorTypes = {"F32", "F16", "BF16", "I64", "BOOL"};

// Layers whose weights would silently stay in float32, as no quantizer fits inside them.
const std::set<std::string_view> kRecurrent = {"lstm",          "gru",          "rnn_tanh",
                                               "rnn_relu",      "lstm_cell",    "gru_cell",
                                               "rnn_tanh_cell", "rnn_relu_cell"};
// Dropout is none of them: it is switched off in evaluation.
const std::set<std::string_view> kRandom = {
    "rand",       "randn",        "randint",    "randperm", "rand_like",
    "randn_like", "randint_like", "bernoulli",  "normal",   "normal_functional",
    "uniform",    "multinomial",  "poisson",    "binomial", "exponential",
    "cauchy",     "geometric",    "log_normal", "random",   "rrelu_with_noise"};
// Operators with a leading underscore are PyTorch's own business and trust their arguments; those
// below are safe, and left by some exports. The others here reach out of the network.
const std::set<std::string_view> kTrustedPrivate = {"_adaptive_avg_pool2d",
                                                    "_adaptive_avg_pool3d",
                                                    "_euclidean_dist",
                                                    "_log_softmax",
                                                    "_prelu_kernel",
                                                    "_safe_softmax",
                                                    "_softmax",
                                                    "_to_copy",
                                                    "_trilinear",
                                                    "_unsafe_view",
                                                    "_upsample_bicubic2d_aa",
                                                    "_upsample_bilinear2d_aa",
                                                    "_upsample_nearest_exact1d",
                                                    "_upsample_nearest_exact2d",
                                                    "_upsample_nearest_exact3d",
                                                    "_weight_norm",
                                                    "_weight_norm_interface"};
const std::set<std::string_view> kForbidden = {"from_file", "resize", "resize_as", "set",
                                               "record_stream"};
bool is_private(std::string_view name) {
  return (name.starts_with('_') && kTrustedPrivate.count(name) == 0) || kForbidden.count(name) != 0;
}

// Outputs share the memory of "self".
const std::set<std::string_view> kViews = {
    "alias",   "chunk", "narrow",    "permute", "select",    "slice", "split", "split_with_sizes",
    "squeeze", "t",     "transpose", "unbind",  "unsqueeze", "view"};

[[noreturn]] void refuse_damaged(const std::string& what) { throw BadGraph("is damaged: " + what); }

// What stands where something else was expected, as far as it fits a message.
std::string excerpt(const Json& json) {
  constexpr size_t kMost = 60;
  const std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

const Json& field(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || found == object.end())
    refuse_damaged(fmt::format("its JSON lacks '{}' in {}", name, excerpt(object)));
  return *found;
}

const std::string& text(const Json& json) {
  if (!json.is_string()) refuse_damaged("its JSON has no text but " + excerpt(json));
  return json.get_ref<const std::string&>();
}

int64_t whole(const Json& json) {
  const bool fits = json.is_number_unsigned()
                        ? json.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()}
                        : json.is_number_integer();
  if (!fits) refuse_damaged("its JSON has no whole number but " + excerpt(json));
  return json.get<int64_t>();
}

bool truth(const Json& json) {
  if (!json.is_boolean()) refuse_damaged("its JSON has no true or false but " + excerpt(json));
  return json.get<bool>();
}

double real(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const std::string& name = text(json);
  if (name == "Infinity") return std::numeric_limits<double>::infinity();
  if (name == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (name == "NaN") return std::numeric_limits<double>::quiet_NaN();
  refuse_damaged("its JSON has no number but " + excerpt(json));
}

const Json& list(const Json& json) {
  if (!json.is_array()) refuse_damaged("its JSON has no list but " + excerpt(json));
  return json;
}

const Json::object_t& map(const Json& json) {
  if (!json.is_object()) refuse_damaged("its JSON has no object but " + excerpt(json));
  return json.get_ref<const Json::object_t&>();
}

// The one field of a union. Newer minor versions may write the others as null.
std::pair<const std::string&, const Json&> alternative(const Json& json) {
  for (const auto& [kind, value] : map(json)) {
    if (!value.is_null()) return {kind, value};
  }
  refuse_damaged("its JSON has an empty choice, " + excerpt(json));
}

std::string type_of_code(const Json& code) {
  const int64_t number = whole(code);
  const bool is_known = number >= 0 && number < static_cast<int64_t>(kTypes.size());
  return is_known ? kTypes[static_cast<size_t>(number)] : "?";
}

// A SymInt; -1 for an expression.
int64_t size_or_any(const Json& json) {
  const auto [kind, value] = alternative(json);
  return kind == "as_int" ? whole(value) : -1;
}

std::vector<int64_t> sizes(const Json& json) {
  std::vector<int64_t> all;
  for (const Json& size : list(json)) all.push_back(size_or_any(size));
  return all;
}

// Dotted and without gaps, as modules are registered by it; and none that a quantizer will take.
void expect_tensor_name(const std::string& name) {
  bool is_good = !name.empty() && name.front() != '.' && name.back() != '.' &&
                 name.find("..") == std::string::npos;
  is_good &= std::all_of(name.begin(), name.end(),
                         [](char letter) { return static_cast<unsigned char>(letter) > ' '; });
  if (!is_good) refuse_damaged(fmt::format("'{}' is no name of a tensor", name));
  if (name.find("weight_quantizer") != std::string::npos ||
      name.find("input_quantizer") != std::string::npos) {
    throw BadGraph(fmt::format(
        "has a tensor named '{}', as quantizers name theirs; rename it in the module", name));
  }
}

// The zip file's entries below the folder that PyTorch gave them.
class Pt2Archive {
 public:
  explicit Pt2Archive(std::string_view file) : file_(file) {
    if (!file.starts_with("PK\x03\x04")) {
      throw BadGraph(fmt::format(
          "is no .pt2 file: expected a zip file as torch.export.save writes it; {}", kExport));
    }
    entries_ = read_zip_directory(file);
    constexpr std::string_view kMark = "archive_format";
    for (const auto& [name, entry] : entries_) {
      if (name != kMark && !name.ends_with("/" + std::string(kMark))) continue;
      folder_ = name.substr(0, name.size() - kMark.size());
      if (read(std::string(kMark), 16) == "pt2") return;
    }
    refuse_other_kind();
  }

  // Unpacked. Throws if it is not there.
  std::string read(const std::string& name, uint64_t most_bytes) const {
    const StoredValues& content = find(name);
    if (content.size > most_bytes) {
      throw BadGraph(fmt::format("cannot be read: its '{}' has {} bytes; expected at most {}", name,
                                 content.size, most_bytes));
    }
    return unpack(file_, content);
  }

  Json read_json(const std::string& name) const {
    const std::string content = read(name, kMostJsonBytes);
    Json json = Json::parse(content.begin(), content.end(), nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) refuse_damaged(fmt::format("its '{}' is no JSON", name));
    return json;
  }

  const StoredValues& find(const std::string& name) const {
    const auto found = entries_.find(folder_ + name);
    if (found == entries_.end())
      refuse_damaged(fmt::format("the zip file holds no '{}{}'", folder_, name));
    if (!found->second.is_plain && !found->second.content.packed_size) {
      throw BadGraph(fmt::format(
          "cannot be read: '{}{}' in the zip file is encrypted, or compressed other than by "
          "DEFLATE",
          folder_, name));
    }
    return found->second.content;
  }

  std::string unpacked(const StoredValues& content) const { return unpack(file_, content); }

  bool has(const std::string& name) const { return entries_.count(folder_ + name) != 0; }

  uint64_t unpacked_bytes() const {
    uint64_t sum = 0;
    for (const auto& [name, entry] : entries_)
      sum += std::min(entry.content.size, UINT64_MAX - sum);
    return sum;
  }

 private:
  bool has_file_ending(const std::string& end) const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&](const auto& entry) { return entry.first.ends_with(end); });
  }

  [[noreturn]] void refuse_other_kind() const {
    if (has_file_ending("serialized_exported_program.json")) {
      throw BadGraph(
          "was written by torch.export.save of PyTorch before 2.8, whose files are not read; "
          "export "
          "the module again with a newer one");
    }
    if (has_file_ending("constants.pkl")) {
      throw BadGraph(fmt::format(
          "is a TorchScript file, which is not read; export the module itself: {}", kExport));
    }
    if (has_file_ending("data.pkl")) {
      throw BadGraph(fmt::format(
          "was written by torch.save: it holds weights, or a pickled module, and no graph; {}",
          kExport));
    }
    throw BadGraph(fmt::format("is a zip file that torch.export.save did not write; {}", kExport));
  }

  std::string_view file_;
  std::map<std::string, ZipEntry> entries_;
  std::string folder_;
};

class Pt2Reader {
 public:
  explicit Pt2Reader(std::string_view file) : archive_(file) {}

  Graph read() {
    const Json program = archive_.read_json("models/model.json");
    expect_version(program);
    const Json& module = field(program, "graph_module");
    const Json& graph = field(module, "graph");
    const Json& signature = field(module, "signature");
    tensor_values_ = &map(field(graph, "tensor_values"));
    read_inputs(list(field(graph, "inputs")), list(field(signature, "input_specs")));
    for (const Json& node : list(field(graph, "nodes"))) read_node(node);
    read_outputs(list(field(signature, "output_specs")));
    expect_classifier();
    return std::move(graph_);
  }

 private:
  void expect_version(const Json& program) {
    const int64_t major = whole(field(field(program, "schema_version"), "major"));
    const auto by = program.find("torch_version");
    graph_.made_by = by != program.end() && by->is_string() ? "torch " + text(*by) : "PyTorch";
    if (major != kSchemaMajor) {
      throw BadGraph(fmt::format(
          "has version {} of the schema ({}); version {} is read: export the module again with "
          "PyTorch 2.8 to 2.13",
          major, graph_.made_by, kSchemaMajor));
    }
    const auto verifiers = program.find("verifiers");
    if (verifiers == program.end() || !verifiers->is_array() || verifiers->empty()) return;
    if (std::find(verifiers->begin(), verifiers->end(), "TRAINING") == verifiers->end()) {
      throw BadGraph(
          "was decomposed after its export (run_decompositions), so that its layers are gone; save "
          "what torch.export.export returned");
    }
  }

  void read_inputs(const Json& inputs, const Json& specs) {
    if (inputs.size() != specs.size())
      refuse_damaged("its graph has other inputs than its signature");
    const Json weights = config("data/weights/model_weights_config.json");
    const Json constants = config("data/constants/model_constants_config.json");
    bool has_images = false;
    for (const Json& spec : specs) {
      const auto [kind, what] = alternative(spec);
      if (kind == "user_input") {
        const auto [argument, value] = alternative(field(what, "arg"));
        if (has_images || argument != "as_tensor") {
          throw BadGraph(
              "takes more than images: expected one tensor; wrap the module in one whose forward "
              "takes images and returns logits");
        }
        graph_.input = define(text(field(value, "name")));
        has_images = true;
      } else if (kind == "parameter") {
        add_tensor(text(field(what, "parameter_name")), GraphTensor::Kind::kParameter, what,
                   weights, constants);
      } else if (kind == "buffer") {
        const bool is_persistent = truth(field(what, "persistent"));
        add_tensor(text(field(what, "buffer_name")),
                   is_persistent ? GraphTensor::Kind::kBuffer : GraphTensor::Kind::kConstant, what,
                   weights, constants);
      } else if (kind == "tensor_constant") {
        add_tensor(text(field(what, "tensor_constant_name")), GraphTensor::Kind::kConstant, what,
                   weights, constants);
      } else {
        throw BadGraph(fmt::format(
            "takes an input that is no tensor ({}); expected images, parameters and buffers alone",
            kind));
      }
    }
    if (!has_images) throw BadGraph("takes no images: its forward has no argument");
    uint64_t bytes = 0;
    for (const GraphTensor& tensor : graph_.tensors) {
      const StoredTensor& stored = tensor.stored;
      bytes += static_cast<uint64_t>(stored.elements() * value_bytes().at(stored.type));
    }
    if (bytes > archive_.unpacked_bytes())
      refuse_damaged("its tensors' values lie over each other");
  }

  Json config(const std::string& name) const {
    if (!archive_.has(name)) return Json::object();
    const Json json = archive_.read_json(name);
    return Json(map(field(json, "config")));
  }

  void add_tensor(const std::string& name, GraphTensor::Kind kind, const Json& spec,
                  const Json& weights, const Json& constants) {
    expect_tensor_name(name);
    if (!tensor_names_.insert(name).second)
      refuse_damaged(fmt::format("it names two tensors '{}'", name));
    const bool is_weight = weights.contains(name);
    const Json& all = is_weight ? weights : constants;
    const auto entry = all.find(name);
    if (entry == all.end()) refuse_damaged(fmt::format("it holds no values of '{}'", name));
    const Json& meta = field(*entry, "tensor_meta");
    if (meta.is_null() || truth(field(*entry, "use_pickle"))) {
      throw BadGraph(fmt::format(
          "has '{}' as a pickled object; expected a plain tensor: turn subclasses of Tensor back "
          "before exporting",
          name));
    }
    StoredTensor stored{type_of_code(field(meta, "dtype")), sizes(field(meta, "sizes")),
                        sizes(field(meta, "strides")), size_or_any(field(meta, "storage_offset")),
                        archive_.find((is_weight ? "data/weights/" : "data/constants/") +
                                      text(field(*entry, "path_name")))};
    if (kTensorTypes.count(stored.type) == 0) {
      throw BadGraph(fmt::format(
          "has '{}' in type {} of the schema ({}); expected {}: convert the module with .float() "
          "before exporting it",
          name, field(meta, "dtype").dump(), stored.type, fmt::join(kTensorTypes, ", ")));
    }
    if (stored.type == "BOOL") expect_booleans(name, stored);
    expect_within_values(name, stored);
    const bool learns =
        kind != GraphTensor::Kind::kParameter || truth(field(meta, "requires_grad"));
    if (!learns) kind = GraphTensor::Kind::kBuffer;
    const std::string& value_name = text(field(field(spec, "arg"), "name"));
    if (kind == GraphTensor::Kind::kParameter && stored.values.size > 0) {
      const auto [tied, is_new] = places_.try_emplace(
          {stored.values.begin, stored.offset, stored.shape, stored.strides}, graph_.values.size());
      if (!is_new) {
        if (!values_.try_emplace(value_name, tied->second).second)
          refuse_damaged(fmt::format("its graph makes '{}' twice", value_name));
        return;
      }
    }
    GraphTensor tensor{name, kind, define(value_name), stored};
    GraphValue& value = graph_.values[tensor.value];
    value.type = stored.type;
    value.shape = stored.shape;
    own_memory_[tensor.value] = graph_.tensors.size();
    graph_.tensors.push_back(std::move(tensor));
  }

  // Other bytes than 0 and 1 are no bool of C++.
  void expect_booleans(const std::string& name, const StoredTensor& stored) const {
    const std::string bytes = archive_.unpacked(stored.values);
    if (std::any_of(bytes.begin(), bytes.end(), [](char byte) { return (byte & ~1) != 0; }))
      refuse_damaged(fmt::format("'{}' holds neither true nor false", name));
  }

  size_t define(const std::string& name, bool is_tensor = true) {
    const auto [entry, is_new] = values_.try_emplace(name, graph_.values.size());
    if (!is_new) refuse_damaged(fmt::format("its graph makes '{}' twice", name));
    GraphValue value;
    value.name = scope_ + name;
    value.is_tensor = is_tensor;
    const auto meta = tensor_values_->find(name);
    if (is_tensor && meta != tensor_values_->end()) {
      value.type = type_of_code(field(meta->second, "dtype"));
      value.shape = sizes(field(meta->second, "sizes"));
    }
    graph_.values.push_back(std::move(value));
    return entry->second;
  }

  void read_node(const Json& json) {
    GraphNode node;
    node.target = text(field(json, "target"));
    node.module = module_of(json);
    const auto refuse = [&](const std::string& why) {
      throw BadGraph(fmt::format(
          "cannot be trained here: {} in {} {}", node.target,
          node.module.empty() ? "the outermost module" : "module '" + node.module + "'", why));
    };
    const Json& outputs = list(field(json, "outputs"));
    if (is_check(node.target)) return;
    if (is_number(outputs)) {
      // Of what checks compare; an operator that reads it is refused.
      for (const Json& output : outputs) {
        const auto [kind, value] = alternative(output);
        if (const auto name = value.is_object() ? value.find("as_name") : value.end();
            value.is_object() && name != value.end())
          numbers_.insert(text(*name));
      }
      return;
    }
    if (node.target == "torch.ops.higher_order.wrap_with_autocast") {
      if (truth(subgraph_setting(json, "as_bool")))
        refuse("computes in 16 bits (autocast); export without it, and set training.autocast");
      return inline_subgraph(json, node.module, /*passes_gradients=*/true);
    }
    if (node.target == "torch.ops.higher_order.wrap_with_set_grad_enabled") {
      return inline_subgraph(json, node.module,
                             /*passes_gradients=*/truth(subgraph_setting(json, "as_bool")));
    }
    if (node.target.starts_with("torch.ops.higher_order."))
      refuse("holds a subgraph; export the module without it (cond, map, checkpoint)");
    if (node.target.starts_with("torch.ops.aten.")) {
      node.target.erase(0, std::string_view("torch.ops.").size());
    } else if (node.target.starts_with("_operator.") &&
               kArithmetic.count(node.target.substr(1)) != 0) {
      node.target.erase(0, 1);
    } else {
      refuse("is no operator of PyTorch's own (torch.ops.aten); write it with those");
    }
    for (const Json& input : list(field(json, "inputs"))) {
      const auto [kind, value] = alternative(field(input, "arg"));
      std::optional<GraphArgument> argument = read_argument(kind, value);
      if (!argument) {
        refuse(fmt::format("has an argument '{}' of a kind that is not read ({})",
                           text(field(input, "name")), kind));
      }
      node.arguments.push_back({text(field(input, "name")), *std::move(argument)});
    }
    for (const Json& output : outputs) {
      const auto [kind, value] = alternative(output);
      if (kind == "as_tensor") {
        node.outputs.push_back(define(text(field(value, "name"))));
      } else if (kind == "as_tensors") {
        for (const Json& one : list(value))
          node.outputs.push_back(define(text(field(one, "name"))));
      } else if (kind == "as_sym_int" && value.contains("as_name")) {
        node.outputs.push_back(define(text(field(value, "as_name")), /*is_tensor=*/false));
      } else {
        refuse(fmt::format("returns what is not read ({})", kind));
      }
    }
    const GraphArgument* mode = node.find("training");
    if (!mode) mode = node.find("train");
    const bool has_statistics = !node.operation().ends_with("_norm") || node.value("running_mean");
    if (mode && std::get_if<bool>(mode) && std::get<bool>(*mode) && has_statistics)
      refuse("was exported in training mode; call .eval() on the module before exporting it");
    if (kRecurrent.count(node.plain_name()) != 0) {
      refuse(
          "is a recurrent layer, whose weights have no quantizers here; write its steps with "
          "linear layers");
    }
    if (node.target.starts_with("aten.") && is_private(node.plain_name()))
      refuse("is no operator for networks but one of PyTorch's inside; write it with public ones");
    if (kRandom.count(node.plain_name()) != 0) {
      refuse(
          "draws random numbers in evaluation, too; call .eval() on the module before exporting "
          "it, or write it without them");
    }
    expect_no_write(node);
    graph_.nodes.push_back(std::move(node));
  }

  // Into the network's own tensors, by whatever view.
  void expect_no_write(const GraphNode& node) {
    const auto self = node.value("self");
    const auto own = self ? own_memory_.find(*self) : own_memory_.end();
    if (own == own_memory_.end()) return;
    const std::string_view name = node.plain_name();
    const bool writes = node.works_in_place() && name != "detach" && name != "requires_grad";
    if (writes) refuse_state(graph_.tensors[own->second].name);
    if (node.works_in_place() || kViews.count(name) != 0) {
      const size_t tensor = own->second;
      for (const size_t output : node.outputs) own_memory_[output] = tensor;
    }
  }

  [[noreturn]] static void refuse_state(const std::string& tensor) {
    throw BadGraph(fmt::format(
        "changes '{}' when it runs: it was exported in training mode (call .eval() before), or "
        "keeps a state from one batch to the next, which cannot be trained here",
        tensor));
  }

  // The first of a node's arguments of this kind.
  static const Json& subgraph_setting(const Json& node, std::string_view wanted) {
    for (const Json& input : list(field(node, "inputs"))) {
      const auto [kind, value] = alternative(field(input, "arg"));
      if (kind == wanted) return value;
    }
    refuse_damaged(fmt::format("a node with a subgraph has no argument of kind {}", wanted));
  }

  // Puts a subgraph's nodes in the place of the node that runs it. What is after the subgraph among
  // the node's arguments are the subgraph's inputs. `passes_gradients`: false under torch.no_grad().
  void inline_subgraph(const Json& json, const std::string& module, bool passes_gradients) {
    constexpr int kMostDepth = 8;
    if (++depth_ > kMostDepth) refuse_damaged("its subgraphs are nested too deeply");
    const Json& subgraph = field(subgraph_setting(json, "as_graph"), "graph");
    std::vector<size_t> given;
    bool is_after = false;
    for (const Json& input : list(field(json, "inputs"))) {
      const auto [kind, value] = alternative(field(input, "arg"));
      if (is_after) given.push_back(named_value(kind, value));
      is_after = is_after || kind == "as_graph";
    }
    const Json& inputs = list(field(subgraph, "inputs"));
    if (inputs.size() != given.size())
      refuse_damaged("a subgraph is given another number of inputs");
    std::map<std::string, size_t> inner;
    for (size_t i = 0; i < given.size(); ++i) {
      const auto [kind, value] = alternative(inputs[i]);
      inner[text(field(value, kind == "as_tensor" ? "name" : "as_name"))] = given[i];
    }
    const std::string outer_scope = scope_;
    scope_ += fmt::format("subgraph {} ", ++subgraphs_);
    std::swap(values_, inner);
    const Json::object_t* outer_values =
        std::exchange(tensor_values_, &map(field(subgraph, "tensor_values")));
    for (const Json& node : list(field(subgraph, "nodes"))) read_node(node);
    std::vector<size_t> made;
    for (const Json& output : list(field(subgraph, "outputs"))) {
      const auto [kind, value] = alternative(output);
      made.push_back(named_value(kind, value));
    }
    tensor_values_ = outer_values;
    std::swap(values_, inner);
    scope_ = outer_scope;
    bind_outputs(list(field(json, "outputs")), made, module, passes_gradients);
    --depth_;
  }

  void bind_outputs(const Json& outputs, const std::vector<size_t>& made, const std::string& module,
                    bool passes_gradients) {
    std::vector<std::string> names;
    for (const Json& output : outputs) {
      const auto [kind, value] = alternative(output);
      if (kind == "as_tensors") {
        for (const Json& one : list(value)) names.push_back(text(field(one, "name")));
      } else {
        names.push_back(text(field(value, kind == "as_tensor" ? "name" : "as_name")));
      }
    }
    if (names.size() != made.size()) refuse_damaged("a subgraph returns another number of values");
    for (size_t i = 0; i < made.size(); ++i) {
      if (passes_gradients || !graph_.values[made[i]].is_tensor) {
        if (!values_.try_emplace(names[i], made[i]).second)
          refuse_damaged(fmt::format("its graph makes '{}' twice", names[i]));
        continue;
      }
      const size_t output = define(names[i]);
      graph_.values[output].type = graph_.values[made[i]].type;
      graph_.values[output].shape = graph_.values[made[i]].shape;
      graph_.nodes.push_back({.target = "aten.detach.default",
                              .arguments = {{"self", ValueRef{made[i]}}},
                              .outputs = {output},
                              .module = module});
    }
  }

  // Of a tensor, or of a number that is made of sizes.
  size_t named_value(const std::string& kind, const Json& value) const {
    if (kind == "as_tensor") return reference(field(value, "name")).value;
    if (kind == "as_sym_int") {
      const ListItem item = read_symbol(value);
      if (const auto* ref = std::get_if<ValueRef>(&item)) return ref->value;
    }
    throw BadGraph(fmt::format(
        "cannot be trained here: a subgraph (autocast, no_grad) takes or returns what is not read "
        "({}); export the module without it",
        kind));
  }

  // Comparisons of sizes with what they were at the export; the interpreter finds out by itself.
  static bool is_check(const std::string& target) {
    return target.starts_with("torch.ops.aten._assert") ||
           target.starts_with("torch.ops.aten.sym_constrain_range");
  }

  // Nothing but a truth or a fraction, made of sizes.
  static bool is_number(const Json& outputs) {
    return !outputs.empty() && std::all_of(outputs.begin(), outputs.end(), [](const Json& output) {
      const auto [kind, value] = alternative(output);
      return kind == "as_sym_bool" || kind == "as_sym_float";
    });
  }

  // The module's path: the second of three words in the last entry of "L__self__,,Net;L__self__fc,
  // fc,Linear". A second call of one module has a number: "fc@1".
  static std::string module_of(const Json& json) {
    const auto metadata = json.find("metadata");
    if (metadata == json.end() || !metadata->is_object()) return "";
    const auto found = metadata->find("nn_module_stack");
    if (found == metadata->end() || !found->is_string()) return "";
    const std::string& stack = text(*found);
    const std::string entry = stack.substr(stack.rfind(';') + 1);  // npos + 1 is 0
    const size_t first = entry.find(','), second = entry.find(',', first + 1);
    if (first == std::string::npos || second == std::string::npos) return "";
    const std::string path = entry.substr(first + 1, second - first - 1);
    return path.starts_with("_empty_nn_module") ? "" : path.substr(0, path.find('@'));
  }

  ValueRef reference(const Json& name) const {
    const auto found = values_.find(text(name));
    if (found != values_.end()) return {found->second};
    if (numbers_.count(text(name)) != 0) {
      throw BadGraph(fmt::format(
          "cannot be trained here: '{}', a truth or fraction computed from sizes, is an operator's "
          "argument; export with fixed height and width",
          text(name)));
    }
    refuse_damaged(fmt::format("its graph reads '{}' before it is made", text(name)));
  }

  ListItem read_symbol(const Json& json) const {
    const auto [kind, value] = alternative(json);
    if (kind == "as_name") return reference(value);
    return whole(value);
  }

  template <typename Read>
  static GraphArgument read_list(const Json& json, Read read) {
    std::vector<ListItem> items;
    for (const Json& item : list(json)) items.push_back(read(item));
    return items;
  }

  // Nullopt for kinds that no operator of a network takes.
  std::optional<GraphArgument> read_argument(const std::string& kind, const Json& value) const {
    if (kind == "as_none") return GraphArgument{};
    if (kind == "as_tensor") return reference(field(value, "name"));
    if (kind == "as_int") return whole(value);
    if (kind == "as_float") return real(value);
    if (kind == "as_bool") return truth(value);
    if (kind == "as_string") return text(value);
    if (kind == "as_sym_int") {
      const ListItem item = read_symbol(value);
      if (const auto* ref = std::get_if<ValueRef>(&item)) return *ref;
      return std::get<int64_t>(item);
    }
    if (kind == "as_tensors") {
      return read_list(
          value, [&](const Json& item) -> ListItem { return reference(field(item, "name")); });
    }
    if (kind == "as_optional_tensors") {
      return read_list(value, [&](const Json& item) { return read_optional(item); });
    }
    if (kind == "as_optional_tensor") {
      const ListItem item = read_optional(value);
      if (const auto* ref = std::get_if<ValueRef>(&item)) return *ref;
      return GraphArgument{};
    }
    if (kind == "as_ints")
      return read_list(value, [](const Json& item) -> ListItem { return whole(item); });
    if (kind == "as_floats")
      return read_list(value, [](const Json& item) -> ListItem { return real(item); });
    if (kind == "as_bools")
      return read_list(value, [](const Json& item) -> ListItem { return truth(item); });
    if (kind == "as_strings")
      return read_list(value, [](const Json& item) -> ListItem { return text(item); });
    if (kind == "as_sym_ints")
      return read_list(value, [&](const Json& item) { return read_symbol(item); });
    return read_property(kind, value);
  }

  ListItem read_optional(const Json& json) const {
    const auto [kind, value] = alternative(json);
    if (kind == "as_tensor") return reference(field(value, "name"));
    return {};
  }

  static std::optional<GraphArgument> read_property(const std::string& kind, const Json& value) {
    constexpr int64_t kStrided = 7;
    if (kind == "as_scalar_type") {
      const std::string type = type_of_code(value);
      if (type != "?") return TypeArgument{type};
    }
    if (kind == "as_device") return DeviceArgument{};
    if (kind == "as_layout" && whole(value) == kStrided) return LayoutArgument{};
    if (kind == "as_memory_format" && whole(value) >= 1 && whole(value) <= 4)
      return static_cast<MemoryFormatArgument>(whole(value) - 1);
    return std::nullopt;
  }

  void read_outputs(const Json& specs) {
    std::vector<size_t> outputs;
    for (const Json& spec : specs) {
      const auto [kind, what] = alternative(spec);
      if (kind == "buffer_mutation" || kind == "parameter_mutation") {
        refuse_state(
            text(field(what, kind == "buffer_mutation" ? "buffer_name" : "parameter_name")));
      }
      if (kind == "user_input_mutation") {
        throw BadGraph(
            "writes into the images that it is given; use an operator that does not work in place "
            "(inplace=False) on the input");
      }
      if (kind != "user_output") {
        throw BadGraph(
            fmt::format("returns more than logits ({}); export the module without a loss", kind));
      }
      const auto [argument, value] = alternative(field(what, "arg"));
      if (argument != "as_tensor") {
        throw BadGraph(fmt::format(
            "returns something else than a tensor ({}); wrap the module in one whose forward "
            "returns the logits",
            argument));
      }
      outputs.push_back(reference(field(value, "name")).value);
    }
    if (outputs.size() != 1) {
      throw BadGraph(fmt::format(
          "returns {} tensors; wrap the module in one whose forward returns the logits alone",
          outputs.size()));
    }
    graph_.output = outputs.front();
  }

  static std::string described(const GraphValue& value) {
    std::vector<std::string> shape;
    for (const int64_t size : value.shape) shape.push_back(size < 0 ? "any" : std::to_string(size));
    return fmt::format("{} [{}]", value.type, fmt::join(shape, ", "));
  }

  void expect_classifier() const {
    const GraphValue& images = graph_.values[graph_.input];
    const GraphValue& logits = graph_.values[graph_.output];
    if (images.type != "F32" || images.shape.size() < 2) {
      throw BadGraph(
          fmt::format("takes {}; expected a batch of images in float32", described(images)));
    }
    if (images.shape[0] >= 0) {
      throw BadGraph(fmt::format(
          "was exported for batches of exactly {}; export it for any batch: {}, or pass "
          "dynamic_shapes=({{0: torch.export.Dim.AUTO}},) and an example of two images",
          images.shape[0], kExport));
    }
    const bool is_classifier = logits.shape.size() == 2 && logits.shape[1] > 0 &&
                               logits.type.find('F') != std::string::npos;
    if (!is_classifier) {
      throw BadGraph(
          fmt::format("returns {}; expected logits, a row for each image: F32 [any, classes]",
                      described(logits)));
    }
  }

  inline static const std::set<std::string> kArithmetic = {"operator.add", "operator.floordiv",
                                                           "operator.mod", "operator.mul",
                                                           "operator.neg", "operator.sub"};

  Pt2Archive archive_;
  const Json::object_t* tensor_values_ = nullptr;
  std::map<std::string, size_t> values_;
  std::string scope_;  // before the names of a subgraph's values, which repeat those around it
  int subgraphs_ = 0, depth_ = 0;
  std::set<std::string> numbers_;  // truths and fractions, which are not kept
  std::set<std::string> tensor_names_;
  std::map<size_t, size_t> own_memory_;  // of the network's tensors and their views: which tensor
  // Where parameters lie in the file: a second name of the same (tied weights) is the same value.
  std::map<std::tuple<uint64_t, int64_t, std::vector<int64_t>, std::vector<int64_t>>, size_t>
      places_;
  Graph graph_;
};

}  // namespace

Graph read_pt2(std::string_view file) {
  try {
    return Pt2Reader(file).read();
  } catch (const BadWeights& error) {
    throw BadGraph(error.what());
  }
}

}  // namespace qbitopt
