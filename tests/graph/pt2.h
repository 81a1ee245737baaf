#pragma once

#include <map>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"
#include "weights/files.h"

// Files as torch.export.save writes them, for tests: a graph under construction, and its bytes.
namespace qbitopt::pt2 {

inline Json tensor(const std::string& name) { return {{"as_tensor", {{"name", name}}}}; }
inline Json ints(const std::vector<int64_t>& values) { return {{"as_ints", values}}; }

// The smallest network worth the name: images [any, 1, 4, 4] to 3 logits.
class Program {
 public:
  Program() { add_value("x", {-1, 1, 4, 4}); }

  // sizes: -1 for the batch.
  void add_value(const std::string& name, const std::vector<int64_t>& sizes, int type = 7) {
    values_[name] = meta(sizes, type);
  }
  void add_tensor(const std::string& name, const std::vector<int64_t>& sizes,
                  const std::string& kind = "parameter", int type = 7) {
    const std::string value = "p_" + name, file = "weight_" + std::to_string(config_.size());
    int64_t bytes = type == 5 ? 8 : type == 12 ? 1 : type == 6 || type == 13 ? 2 : 4;
    for (const int64_t size : sizes) bytes *= size;
    contents_["net/data/weights/" + file] = std::string(static_cast<size_t>(bytes), '\0');
    config_[name] = {{"path_name", file},
                     {"is_param", kind == "parameter"},
                     {"use_pickle", false},
                     {"tensor_meta", meta(sizes, type)}};
    add_value(value, sizes, type);
    Json spec = {{"arg", {{"name", value}}}, {kind + "_name", name}};
    if (kind == "buffer") spec["persistent"] = true;
    specs_.push_back({{kind, spec}});
    inputs_.push_back(tensor(value));
  }
  // `arguments`: name -> argument.
  Json& add_node(const std::string& target,
                 const std::vector<std::pair<std::string, Json>>& arguments,
                 const std::string& output, const std::string& module = "") {
    Json inputs = Json::array();
    for (const auto& [name, argument] : arguments)
      inputs.push_back({{"name", name}, {"arg", argument}, {"kind", 1}});
    nodes_.push_back(
        {{"target", target},
         {"inputs", inputs},
         {"outputs", Json::array({tensor(output)})},
         {"metadata", {{"nn_module_stack", "L__self__,,Net;L__self__x," + module + ",Layer"}}}});
    return nodes_.back();
  }
  void returns(const std::string& value) {
    outputs_ = Json::array({{{"user_output", {{"arg", tensor(value)}}}}});
  }

  Json json() const {
    Json inputs = inputs_, specs = specs_;
    inputs.push_back(tensor("x"));
    specs.push_back({{"user_input", {{"arg", tensor("x")}}}});
    return {{"graph_module",
             {{"graph",
               {{"inputs", inputs},
                {"outputs", outputs_},
                {"nodes", nodes_},
                {"tensor_values", values_}}},
              {"signature", {{"input_specs", specs}, {"output_specs", outputs_}}}}},
            {"schema_version", {{"major", 8}, {"minor", 20}}},
            {"verifiers", {"TRAINING"}},
            {"torch_version", "2.13.0"}};
  }

  std::map<std::string, std::string> entries() const { return entries(json()); }
  std::map<std::string, std::string> entries(const Json& program) const {
    std::map<std::string, std::string> all = contents_;
    all["net/archive_format"] = "pt2";
    all["net/models/model.json"] = program.dump();
    all["net/data/weights/model_weights_config.json"] = Json{{"config", config_}}.dump();
    return all;
  }
  std::string file() const { return weight_files::zip_file(entries()); }
  std::string file(const Json& program) const { return weight_files::zip_file(entries(program)); }

  Json& config() { return config_; }

 private:
  static Json meta(const std::vector<int64_t>& sizes, int type) {
    Json all = Json::array(), strides = Json::array();
    int64_t stride = 1;
    for (size_t i = sizes.size(); i-- > 0;) {
      strides.insert(strides.begin(), Json{{"as_int", stride}});
      stride *= sizes[i];
    }
    for (const int64_t size : sizes) {
      all.push_back(size < 0 ? Json{{"as_expr", {{"expr_str", "s0"}}}} : Json{{"as_int", size}});
    }
    return {{"dtype", type},
            {"sizes", all},
            {"strides", strides},
            {"storage_offset", {{"as_int", 0}}},
            {"requires_grad", true},
            {"device", {{"type", "cpu"}}},
            {"layout", 7}};
  }

  Json values_ = Json::object(), config_ = Json::object();
  Json inputs_ = Json::array(), specs_ = Json::array(), nodes_ = Json::array(),
       outputs_ = Json::array();
  std::map<std::string, std::string> contents_;
};

// Convolution, ReLU, flattening and a linear layer, in modules "stem" and "head".
inline Program small_program() {
  Program program;
  program.add_tensor("stem.weight", {2, 1, 3, 3});
  program.add_tensor("head.weight", {3, 32});
  program.add_tensor("head.bias", {3});
  program.add_value("conv2d", {-1, 2, 4, 4});
  program.add_value("relu", {-1, 2, 4, 4});
  program.add_value("flatten", {-1, 32});
  program.add_value("linear", {-1, 3});
  program.add_node("torch.ops.aten.conv2d.default",
                   {{"input", tensor("x")},
                    {"weight", tensor("p_stem.weight")},
                    {"bias", {{"as_none", true}}},
                    {"stride", ints({1, 1})},
                    {"padding", ints({1, 1})}},
                   "conv2d", "stem");
  program.add_node("torch.ops.aten.relu.default", {{"self", tensor("conv2d")}}, "relu", "act");
  program.add_node("torch.ops.aten.flatten.using_ints",
                   {{"self", tensor("relu")}, {"start_dim", {{"as_int", 1}}}}, "flatten");
  program.add_node("torch.ops.aten.linear.default",
                   {{"input", tensor("flatten")},
                    {"weight", tensor("p_head.weight")},
                    {"bias", tensor("p_head.bias")}},
                   "linear", "head");
  program.returns("linear");
  return program;
}

}  // namespace qbitopt::pt2
