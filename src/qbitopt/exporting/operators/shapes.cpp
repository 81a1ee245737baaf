#include <algorithm>
#include <limits>
#include <numeric>

#include "qbitopt/exporting/operators.h"

// What moves values about. Every shape is known from running the network, so whatever changes the
// shape alone is one Reshape.
namespace qbitopt {
namespace {

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

void same(TranslatedCall& call) {
  call.give_value(call.input(call.is_tensor("self") ? "self" : "input"));
}

// A change of type, which is none for float32.
void convert(TranslatedCall& call) {
  if (call.output().type != call.traced("self").type)
    call.refuse("changes the type of its input, which is not translated");
  same(call);
}

void reshape(TranslatedCall& call) {
  if (call.output().shape == call.traced("self").shape) return same(call);
  call.give_reshaped(call.input("self"));
}

void permute_to(TranslatedCall& call, const std::vector<int64_t>& order) {
  call.give("Transpose", {call.input("self")}, {{"perm", order}});
}

void permute(TranslatedCall& call) { permute_to(call, call.dimensions("dims", "self")); }

void transpose(TranslatedCall& call) {
  std::vector<int64_t> order(static_cast<size_t>(call.rank("self")));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<size_t>(call.dimension("dim0", "self"))],
            order[static_cast<size_t>(call.dimension("dim1", "self"))]);
  permute_to(call, order);
}

void matrix_transpose(TranslatedCall& call) {
  if (call.rank("self") < 2) return same(call);
  permute_to(call, {1, 0});
}

void concatenate(TranslatedCall& call) {
  const int64_t axis = call.whole("dim");
  call.give("Concat", call.inputs("tensors"),
            {{"axis", axis < 0 ? axis + call.output().rank() : axis}});
}

void stack(TranslatedCall& call) {
  const int64_t given = call.whole("dim");
  const int64_t axis = given < 0 ? given + call.output().rank() : given;
  std::vector<std::string> parts;
  for (const std::string& part : call.inputs("tensors"))
    parts.push_back(call.add("Unsqueeze", {part, call.onnx().wholes({axis})}));
  call.give("Concat", parts, {{"axis", axis}});
}

// chunk, split, split_with_sizes: the parts' sizes are those of the outputs.
void split(TranslatedCall& call) {
  const int64_t axis = call.dimension("dim", "self");
  call.size("self", axis);
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < call.node().outputs.size(); ++i)
    sizes.push_back(call.output(i).shape[static_cast<size_t>(axis)].size);
  call.give_several("Split", {call.input("self"), call.onnx().wholes(sizes)}, {{"axis", axis}});
}

std::string picked(TranslatedCall& call, int64_t axis, int64_t index) {
  return call.add("Gather", {call.input("self"), call.onnx().whole(index)}, {{"axis", axis}});
}

void unbind(TranslatedCall& call) {
  const int64_t axis = call.dimension("dim", "self");
  for (int64_t i = 0; i < call.size("self", axis); ++i)
    call.give_value(picked(call, axis, i), static_cast<size_t>(i));
}

void select(TranslatedCall& call) {
  const int64_t axis = call.dimension("dim", "self"), index = call.whole("index");
  const int64_t size = call.size("self", axis);
  call.give_value(picked(call, axis, index < 0 ? index + size : index));
}

void slice_along(TranslatedCall& call, int64_t axis, int64_t start, int64_t end, int64_t step) {
  call.give("Slice", {call.input("self"), call.onnx().wholes({start}), call.onnx().wholes({end}),
                      call.onnx().wholes({axis}), call.onnx().wholes({step})});
}

void slice(TranslatedCall& call) {
  const int64_t axis = call.dimension("dim", "self");
  const int64_t start = call.has("start") ? call.whole("start") : 0;
  const int64_t end = call.has("end") ? call.whole("end") : kEnd;
  const int64_t step = call.whole("step");
  if (start == 0 && step == 1 && end == kEnd) return same(call);
  call.size("self", axis);
  slice_along(call, axis, start, end, step);
}

void narrow(TranslatedCall& call) {
  const int64_t axis = call.dimension("dim", "self"), start = call.whole("start");
  call.size("self", axis);
  slice_along(call, axis, start, start + call.whole("length"), 1);
}

void index_select(TranslatedCall& call) {
  call.give("Gather", {call.input("self"), call.input("index")},
            {{"axis", call.dimension("dim", "self")}});
}

// x[:, indices]: one list of indices that the network holds.
void index(TranslatedCall& call) {
  const auto& list = call.list("indices");
  int64_t axis = -1, given = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!std::holds_alternative<ValueRef>(list[i])) continue;
    axis = static_cast<int64_t>(i);
    ++given;
  }
  if (given != 1) call.refuse("indexes several dimensions at once, which is not translated");
  call.give("Gather",
            {call.input("self"), call.input_of_list("indices", static_cast<size_t>(axis))},
            {{"axis", axis}});
}

// A dimension that grows with the images takes its size from them.
void expand(TranslatedCall& call) {
  if (call.output().shape == call.traced("self").shape) return same(call);
  call.give("Expand", {call.input("self"), call.full_shape(call.output().shape)});
}

void repeat(TranslatedCall& call) {
  const std::vector<int64_t> times = call.wholes("repeats");
  std::vector<TracedSize> shape = call.traced("self").shape;
  shape.insert(shape.begin(), times.size() - shape.size(), TracedSize{});
  call.give("Tile", {call.reshaped(call.input("self"), shape), call.onnx().wholes(times)});
}

// PyTorch's list of padding begins with the last dimension, begin and end by turns.
void pad(TranslatedCall& call) {
  const std::string mode = call.text("mode");
  if (!mode.empty() && mode != "constant" && mode != "reflect" && mode != "replicate")
    call.refuse("pads in mode '" + mode + "', which is not translated");
  const std::vector<int64_t> given = call.wholes("pad");
  const auto rank = static_cast<size_t>(call.rank("self"));
  std::vector<int64_t> pads(2 * rank, 0);
  for (size_t i = 0; i + 1 < given.size(); i += 2) {
    const size_t dimension = rank - 1 - i / 2;
    pads[dimension] = given[i];
    pads[rank + dimension] = given[i + 1];
  }
  const std::string value = call.has("value") ? call.input("value") : call.onnx().number(0);
  call.give("Pad", {call.input("self"), call.onnx().wholes(pads), value},
            {{"mode", mode == "reflect"     ? std::string("reflect")
                      : mode == "replicate" ? std::string("edge")
                                            : std::string("constant")}});
}

// Along each dimension the end goes before the beginning.
void roll(TranslatedCall& call) {
  const std::vector<int64_t> shifts = call.wholes("shifts");
  const std::vector<int64_t> axes = call.dimensions("dims", "self");
  if (call.wholes("dims").size() != shifts.size() || shifts.empty())
    call.refuse("rolls the flattened tensor, which is not translated");
  std::string value = call.input("self");
  for (size_t i = 0; i < shifts.size(); ++i) {
    const int64_t size = call.size("self", axes[i]);
    const int64_t cut = ((-shifts[i]) % size + size) % size;
    const auto part = [&](int64_t start, int64_t end) {
      return call.add("Slice", {value, call.onnx().wholes({start}), call.onnx().wholes({end}),
                                call.onnx().wholes({axes[i]})});
    };
    if (cut == 0) continue;
    value = call.add("Concat", {part(cut, kEnd), part(0, cut)}, {{"axis", axes[i]}});
  }
  call.give_value(value);
}

void flip(TranslatedCall& call) {
  std::vector<int64_t> axes = call.dimensions("dims", "self");
  const std::vector<int64_t> starts(axes.size(), -1), ends(axes.size(), -kEnd);
  call.give("Slice", {call.input("self"), call.onnx().wholes(starts), call.onnx().wholes(ends),
                      call.onnx().wholes(axes), call.onnx().wholes(starts)});
}

// [N, c g, ...] as [N, c, g, ...], the two swapped.
void channel_shuffle(TranslatedCall& call) {
  const int64_t groups = call.whole("groups");
  const auto& shape = call.traced("self").shape;
  std::vector<TracedSize> apart = shape;
  apart[1].size = groups;
  apart.insert(apart.begin() + 2, {call.size("self", 1) / groups, false});
  std::vector<int64_t> order(apart.size());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[1], order[2]);
  call.give_reshaped(
      call.add("Transpose", {call.reshaped(call.input("self"), apart)}, {{"perm", order}}));
}

void pixel_shuffle(TranslatedCall& call) {
  call.give("DepthToSpace", {call.input("self")},
            {{"blocksize", call.whole("upscale_factor")}, {"mode", std::string("CRD")}});
}

// [N, C, h r, w r] as [N, C, h, r, w, r], then the two r behind C.
void pixel_unshuffle(TranslatedCall& call) {
  if (call.rank("self") != 4) call.refuse("works on other than images");
  const int64_t r = call.whole("downscale_factor");
  const auto& shape = call.traced("self").shape;
  const std::vector<TracedSize> apart = {
      shape[0], shape[1], {call.size("self", 2) / r}, {r}, {call.size("self", 3) / r}, {r}};
  call.give_reshaped(call.add("Transpose", {call.reshaped(call.input("self"), apart)},
                              {{"perm", std::vector<int64_t>{0, 1, 3, 5, 2, 4}}}));
}

}  // namespace

const Translations& shape_operators() {
  static const Translations all = {{"_unsafe_view", reshape},
                                   {"alias", same},
                                   {"cat", concatenate},
                                   {"channel_shuffle", channel_shuffle},
                                   {"chunk", split},
                                   {"clone", same},
                                   {"concat", concatenate},
                                   {"constant_pad_nd", pad},
                                   {"contiguous", same},
                                   {"detach", same},
                                   {"dropout", same},
                                   {"dropout1d", same},
                                   {"dropout2d", same},
                                   {"expand", expand},
                                   {"expand_as", expand},
                                   {"feature_dropout", same},
                                   {"flatten", reshape},
                                   {"flip", flip},
                                   {"index", index},
                                   {"index_select", index_select},
                                   {"narrow", narrow},
                                   {"pad", pad},
                                   {"permute", permute},
                                   {"pixel_shuffle", pixel_shuffle},
                                   {"pixel_unshuffle", pixel_unshuffle},
                                   {"repeat", repeat},
                                   {"reshape", reshape},
                                   {"reshape_as", reshape},
                                   {"roll", roll},
                                   {"select", select},
                                   {"slice", slice},
                                   {"split", split},
                                   {"split_with_sizes", split},
                                   {"squeeze", reshape},
                                   {"stack", stack},
                                   {"t", matrix_transpose},
                                   {"to", convert},
                                   {"transpose", transpose},
                                   {"type_as", convert},
                                   {"unbind", unbind},
                                   {"unflatten", reshape},
                                   {"unsafe_chunk", split},
                                   {"unsafe_split", split},
                                   {"unsqueeze", reshape},
                                   {"view", reshape},
                                   {"view_as", reshape}};
  return all;
}

}  // namespace qbitopt
