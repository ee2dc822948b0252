#include "hub/domain/inspection.hpp"

#include <algorithm>
#include <array>

namespace slipway::hub::domain {
namespace {

struct Row {
  std::string_view format;
  ModelType type;
};
constexpr std::array kFormats = {
    Row{"onnx", ModelType::kOnnx},
    Row{"onnx directory", ModelType::kOnnx},
    Row{"torchscript", ModelType::kTorchScript},
    Row{"torch exported program", ModelType::kTorchExportedProgram},
    Row{"tflite", ModelType::kTflite},
    Row{"qnn context binary", ModelType::kQnnContextBinary},
    Row{"qnn dlc", ModelType::kQnnDlc},
};

constexpr std::size_t kLongestStem = 120;

template <typename Entry>
bool has_come_in(const Entry& entry) {
  return entry.upload == UploadState::kComplete && (entry.inspection || !entry.producer_job_id.empty());
}

}  // namespace

std::optional<ModelType> type_of_format(std::string_view format) {
  const auto* const found = std::ranges::find(kFormats, format, &Row::format);
  return found == kFormats.end() ? std::nullopt : std::optional(found->type);
}

void apply_inspection(Model& model, const Inspection& inspection) {
  model.inspection = inspection;
  const auto type = type_of_format(inspection.format);
  if (!type) return;
  if (*type == ModelType::kOnnx) model.is_directory = inspection.format == "onnx directory";
  if (*type != ModelType::kOnnx || model.type != ModelType::kAimetOnnx) model.type = *type;
}

bool is_available(const Model& model) {
  return has_come_in(model);
}
bool is_available(const Dataset& dataset) {
  return has_come_in(dataset);
}

bool holds_context_binary(const Inspection& inspection) {
  const auto fact = inspection.facts.find(kHoldsFact);
  return fact != inspection.facts.end() && fact->second == kHoldsContextBinary;
}

std::string_view model_type_text(ModelType type) {
  switch (type) {
    case ModelType::kTorchScript:
      return "TorchScript";
    case ModelType::kTflite:
      return "TFLite";
    case ModelType::kOnnx:
      return "ONNX";
    case ModelType::kQnnContextBinary:
      return "QNN context binary";
    case ModelType::kAimetOnnx:
      return "AIMET ONNX";
    case ModelType::kQnnDlc:
      return "QNN DLC";
    case ModelType::kTorchExportedProgram:
      return "PyTorch exported program";
  }
  return "unknown";
}

std::string_view model_extension(ModelType type, bool is_directory) {
  switch (type) {
    case ModelType::kTorchScript:
      return ".pt";
    case ModelType::kTflite:
      return ".tflite";
    case ModelType::kOnnx:
      return is_directory ? ".onnx.zip" : ".onnx";
    case ModelType::kQnnContextBinary:
      return ".bin";
    case ModelType::kAimetOnnx:
      return ".aimet.zip";
    case ModelType::kQnnDlc:
      return ".dlc";
    case ModelType::kTorchExportedProgram:
      return ".pt2";
  }
  return ".bin";
}

std::string download_name(std::string_view stem, std::string_view extension) {
  for (std::string_view suffix = extension; !suffix.empty();) {
    // ".onnx.zip", then ".onnx": the name may carry either.
    if (stem.size() > suffix.size() && stem.ends_with(suffix)) {
      stem.remove_suffix(suffix.size());
      break;
    }
    const auto last_dot = suffix.rfind('.');
    suffix = last_dot == 0 ? std::string_view() : suffix.substr(0, last_dot);
  }
  // A cut within a character would leave a name that is no UTF-8.
  std::size_t length = std::min(stem.size(), kLongestStem);
  while (length > 0 && length < stem.size() && (static_cast<unsigned char>(stem[length]) & 0xc0U) == 0x80U) --length;
  std::string name(stem.substr(0, length));
  std::ranges::replace_if(
      name, [](unsigned char c) { return c == '.' || c == '/' || c == '\\' || c == ':' || c < 0x20 || c == 0x7f; },
      '_');
  if (name.empty()) name = "unnamed";
  return name.append(extension);
}

}  // namespace slipway::hub::domain
