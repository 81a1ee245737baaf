#include "qbitopt/training/checkpoint.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/json.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/training/method_hook.h"

namespace qbitopt {
namespace {

using torch::serialize::InputArchive;
using torch::serialize::OutputArchive;

template <typename Part>
void write_part(OutputArchive& archive, const std::string& name, const Part& part) {
  OutputArchive own(archive.compilation_unit());
  part.save(own);
  archive.write(name, own);
}

template <typename Part>
void read_part(InputArchive& archive, const std::string& name, Part& part) {
  InputArchive own;
  archive.read(name, own);
  part.load(own);
}

template <typename Number>
Number read_number(InputArchive& archive, const std::string& name) {
  c10::IValue value;
  archive.read(name, value);
  return value.to<Number>();
}

constexpr std::string_view kMark = "\nsha256 ";  // of the last line
constexpr size_t kDigits = 64;

// The archive inside a checkpoint.
std::string read_content(const std::filesystem::path& file) {
  std::string content = read_bytes(file);
  const size_t size = content.size() - std::min(content.size(), kMark.size() + kDigits);
  const bool is_whole =
      content.compare(size, kMark.size(), kMark) == 0 &&
      content.compare(size + kMark.size(), kDigits, sha256({content.data(), size})) == 0;
  if (!is_whole) {
    throw InputError("the checkpoint " + file.string() +
                     " is damaged: its sha256 does not match its content");
  }
  content.resize(size);
  return content;
}

InputArchive read_archive(const std::filesystem::path& file, torch::Device device) {
  const std::string content = read_content(file);
  InputArchive archive;
  archive.load_from(content.data(), content.size(), device);
  return archive;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& file, RunContext& context,
                      const Optimizers& optimizers, const WeightAverage& average,
                      const RunState& state) {
  OutputArchive archive;
  archive.write("step", c10::IValue(state.step));
  archive.write("seconds", c10::IValue(state.seconds));
  archive.write("train_seconds", c10::IValue(state.train_seconds));
  archive.write("reallocation_seconds", c10::IValue(context.reallocation_seconds()));
  archive.write("loss_sum", c10::IValue(state.loss_sum));
  archive.write("right_sum", c10::IValue(state.right_sum));
  archive.write("images", c10::IValue(state.images));
  archive.write("loss_scale", c10::IValue(state.loss_scale.value));
  archive.write("good_steps", c10::IValue(state.loss_scale.good_steps));
  archive.write("skipped_steps", c10::IValue(state.loss_scale.skipped_steps));
  write_part(archive, "network", context.network());
  write_part(archive, "optimizers", optimizers);
  if (context.oscillations().is_tracking())
    write_part(archive, "oscillations", context.oscillations());
  if (average.is_on()) write_part(archive, "average", average);
  call_hook("save", [&] { write_part(archive, "method", context.method()); });
  std::string content;
  archive.save_to([&](const void* bytes, size_t size) {
    content.append(static_cast<const char*>(bytes), size);
    return size;
  });
  const std::string digits = sha256(content);
  write_file_atomically(file, content.append(kMark).append(digits));
}

RunState read_checkpoint(const std::filesystem::path& file, RunContext& context,
                         Optimizers& optimizers, WeightAverage& average) {
  try {
    InputArchive archive = read_archive(file, context.device());
    RunState state;
    state.step = read_number<int64_t>(archive, "step");
    state.seconds = read_number<double>(archive, "seconds");
    state.train_seconds = read_number<double>(archive, "train_seconds");
    context.reallocation_seconds() = read_number<double>(archive, "reallocation_seconds");
    state.loss_sum = read_number<double>(archive, "loss_sum");
    state.right_sum = read_number<double>(archive, "right_sum");
    state.images = read_number<int64_t>(archive, "images");
    state.loss_scale.value = read_number<double>(archive, "loss_scale");
    state.loss_scale.good_steps = read_number<int64_t>(archive, "good_steps");
    state.loss_scale.skipped_steps = read_number<int64_t>(archive, "skipped_steps");
    read_part(archive, "network", context.network());
    read_part(archive, "optimizers", optimizers);
    if (context.oscillations().is_tracking())
      read_part(archive, "oscillations", context.oscillations());
    if (average.is_on()) read_part(archive, "average", average);
    call_hook("load", [&] { read_part(archive, "method", context.method()); });
    return state;
  } catch (const c10::Error& error) {
    throw InputError("the checkpoint " + file.string() + " cannot be used (" +
                     error.what_without_backtrace() +
                     "); delete it to start the job from its beginning");
  }
}

int64_t checkpoint_step(const std::filesystem::path& file) {
  try {
    InputArchive archive = read_archive(file, torch::kCPU);
    return read_number<int64_t>(archive, "step");
  } catch (const c10::Error& error) {
    throw InputError("the checkpoint " + file.string() + " cannot be read (" +
                     error.what_without_backtrace() + ")");
  }
}

}  // namespace qbitopt
