#include "qbitopt/report/tensorboard/event_file.h"

#include <array>
#include <functional>
#include <protozero/pbf_builder.hpp>

// Field numbers by message: event.proto, summary.proto, tensor.proto and types.proto of TensorFlow,
// plugin_data.proto and api.proto of TensorBoard's hparams, struct.proto of Protocol Buffers.
namespace qbitopt {
namespace {

using protozero::pbf_tag_type;
enum class EventField : pbf_tag_type { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5 };
enum class SummaryField : pbf_tag_type { kValue = 1 };
enum class SummaryValueField : pbf_tag_type { kTag = 1, kSimple = 2, kTensor = 8, kMetadata = 9 };
enum class MetadataField : pbf_tag_type { kPlugin = 1 };
enum class PluginField : pbf_tag_type { kName = 1, kContent = 2 };
enum class EventTensorField : pbf_tag_type { kType = 1, kShape = 2, kTexts = 8 };
enum class EventShapeField : pbf_tag_type { kDimension = 2 };
enum class EventDimensionField : pbf_tag_type { kSize = 1 };
enum class HparamsField : pbf_tag_type { kVersion = 1, kExperiment = 2, kStart = 3, kEnd = 4 };
enum class StartField : pbf_tag_type { kParameters = 1, kGroup = 4, kTime = 5 };
enum class EndField : pbf_tag_type { kStatus = 1, kTime = 2 };
enum class MapField : pbf_tag_type { kKey = 1, kValue = 2 };
enum class StructField : pbf_tag_type { kNumber = 2, kText = 3, kBool = 4 };
enum class ListField : pbf_tag_type { kValues = 1 };
enum class ExperimentField : pbf_tag_type { kParameters = 4, kMetrics = 5 };
enum class ParameterField : pbf_tag_type { kName = 1, kDescription = 3, kType = 4, kDiscrete = 5 };
enum class MetricField : pbf_tag_type { kName = 1, kShown = 3, kDescription = 4 };
enum class MetricNameField : pbf_tag_type { kTag = 2 };
enum ElementType : int32_t { kFloatElement = 1, kTextElement = 7 };

template <typename Field>
using EventMessage = protozero::pbf_builder<Field>;

// The remainder of each byte, reflected polynomial 0x1edc6f41.
std::array<uint32_t, 256> remainders() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest & 1) != 0 ? rest >> 1 ^ 0x82f63b78 : rest >> 1;
    table[byte] = rest;
  }
  return table;
}

// A CRC beside the bytes that it covers is rotated, so that a CRC over both says something.
uint32_t masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

template <typename Number>
std::string little_endian(Number number) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(Number); ++i) bytes += static_cast<char>(number >> (8 * i) & 0xff);
  return bytes;
}

std::string start_of_event(double wall_time, int64_t step) {
  std::string event;
  EventMessage<EventField> message(event);
  message.add_double(EventField::kWallTime, wall_time);
  message.add_int64(EventField::kStep, step);
  return event;
}

// An event with a summary of one value, which `fill` fills.
std::string summary_event(double wall_time, int64_t step, const std::string& tag,
                          const std::function<void(EventMessage<SummaryValueField>&)>& fill) {
  std::string event = start_of_event(wall_time, step);
  EventMessage<EventField> message(event);
  EventMessage<SummaryField> summary(message, EventField::kSummary);
  EventMessage<SummaryValueField> value(summary, SummaryField::kValue);
  value.add_string(SummaryValueField::kTag, tag);
  fill(value);
  value.commit();
  summary.commit();
  return event;
}

void add_plugin(EventMessage<SummaryValueField>& value, const std::string& name,
                const std::string& content) {
  EventMessage<MetadataField> metadata(value, SummaryValueField::kMetadata);
  EventMessage<PluginField> plugin(metadata, MetadataField::kPlugin);
  plugin.add_string(PluginField::kName, name);
  plugin.add_bytes(PluginField::kContent, content);
}

// Data of the plugin "hparams" under one of its three tags; the value is an empty tensor.
std::string hparams_event(double wall_time, const std::string& tag, const std::string& content) {
  return summary_event(wall_time, 0, "_hparams_/" + tag, [&](auto& value) {
    {
      EventMessage<EventTensorField> tensor(value, SummaryValueField::kTensor);
      tensor.add_enum(EventTensorField::kType, kFloatElement);
      EventMessage<EventShapeField> shape(tensor, EventTensorField::kShape);
      EventMessage<EventDimensionField> dimension(shape, EventShapeField::kDimension);
      dimension.add_int64(EventDimensionField::kSize, 0);
    }
    add_plugin(value, "hparams", content);
  });
}

std::string struct_value(const EventFile::Value& value) {
  std::string bytes;
  EventMessage<StructField> message(bytes);
  if (const auto* truth = std::get_if<bool>(&value)) {
    message.add_bool(StructField::kBool, *truth);
  } else if (const auto* number = std::get_if<double>(&value)) {
    message.add_double(StructField::kNumber, *number);
  } else {
    message.add_string(StructField::kText, std::get<std::string>(value));
  }
  return bytes;
}

// DataType of api.proto.
int32_t type_of(const EventFile::Value& value) {
  if (std::holds_alternative<bool>(value)) return 2;
  return std::holds_alternative<double>(value) ? 3 : 1;
}

void add_parameter(EventMessage<ExperimentField>& experiment,
                   const EventFile::Experiment::Parameter& parameter) {
  EventMessage<ParameterField> info(experiment, ExperimentField::kParameters);
  info.add_string(ParameterField::kName, parameter.name);
  info.add_string(ParameterField::kDescription, parameter.description);
  info.add_enum(ParameterField::kType, type_of(parameter.values.front()));
  EventMessage<ListField> list(info, ParameterField::kDiscrete);
  for (const EventFile::Value& value : parameter.values)
    list.add_message(ListField::kValues, struct_value(value));
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = remainders();
  uint32_t crc = 0xffffffff;
  for (const char c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ crc >> 8;
  return ~crc;
}

EventFile::EventFile(const std::filesystem::path& file, double wall_time) : output_(file) {
  std::string event;
  EventMessage<EventField> message(event);
  message.add_double(EventField::kWallTime, wall_time);
  message.add_string(EventField::kFileVersion, "brain.Event:2");
  add_record(event);
}

void EventFile::add_scalar(const std::string& tag, int64_t step, double wall_time, double value) {
  add_record(summary_event(wall_time, step, tag, [&](auto& message) {
    message.add_float(SummaryValueField::kSimple, static_cast<float>(value));
  }));
}

void EventFile::add_text(const std::string& tag, double wall_time, const std::string& text) {
  add_record(summary_event(wall_time, 0, tag, [&](auto& value) {
    {
      EventMessage<EventTensorField> tensor(value, SummaryValueField::kTensor);
      tensor.add_enum(EventTensorField::kType, kTextElement);
      {
        EventMessage<EventShapeField> shape(tensor, EventTensorField::kShape);
        EventMessage<EventDimensionField> dimension(shape, EventShapeField::kDimension);
        dimension.add_int64(EventDimensionField::kSize, 1);
      }
      tensor.add_bytes(EventTensorField::kTexts, text);
    }
    add_plugin(value, "text", "");
  }));
}

void EventFile::add_session(const Session& session) {
  std::string begin, end;
  {
    EventMessage<HparamsField> data(begin);
    data.add_int32(HparamsField::kVersion, 0);
    EventMessage<StartField> start(data, HparamsField::kStart);
    for (const auto& [name, value] : session.parameters) {
      EventMessage<MapField> entry(start, StartField::kParameters);
      entry.add_string(MapField::kKey, name);
      entry.add_message(MapField::kValue, struct_value(value));
    }
    start.add_string(StartField::kGroup, session.group);
    start.add_double(StartField::kTime, session.started_at);
  }
  add_record(hparams_event(session.started_at, "session_start_info", begin));
  if (session.status == Session::Status::kRunning) return;
  {
    EventMessage<HparamsField> data(end);
    data.add_int32(HparamsField::kVersion, 0);
    EventMessage<EndField> ended(data, HparamsField::kEnd);
    ended.add_enum(EndField::kStatus, static_cast<int32_t>(session.status));
    ended.add_double(EndField::kTime, session.ended_at);
  }
  add_record(hparams_event(session.ended_at, "session_end_info", end));
}

void EventFile::add_experiment(const Experiment& experiment, double wall_time) {
  std::string content;
  {
    EventMessage<HparamsField> data(content);
    data.add_int32(HparamsField::kVersion, 0);
    EventMessage<ExperimentField> message(data, HparamsField::kExperiment);
    for (const auto& parameter : experiment.parameters) add_parameter(message, parameter);
    for (const auto& metric : experiment.metrics) {
      EventMessage<MetricField> info(message, ExperimentField::kMetrics);
      {
        EventMessage<MetricNameField> name(info, MetricField::kName);
        name.add_string(MetricNameField::kTag, metric.tag);
      }
      info.add_string(MetricField::kShown, metric.name);
      info.add_string(MetricField::kDescription, metric.description);
    }
  }
  add_record(hparams_event(wall_time, "experiment", content));
}

void EventFile::add_record(std::string_view event) {
  const std::string length = little_endian<uint64_t>(event.size());
  output_.write(length);
  output_.write(little_endian(masked_crc(length)));
  output_.write(event);
  output_.write(little_endian(masked_crc(event)));
}

}  // namespace qbitopt
