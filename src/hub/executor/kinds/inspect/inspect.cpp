#include "hub/executor/kinds/inspect/inspect.hpp"

#include <algorithm>

#include "compile/onnx_graph/model.hpp"
#include "hub/datasets/dataset_h5.hpp"
#include "hub/domain/inspection.hpp"
#include "hub/executor/archive.hpp"
#include "hub/executor/format.hpp"
#include "hub/executor/tflite_signature.hpp"
#include "hub/executor/torch_model.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using datasets::DatasetReader;
using domain::Inspection;
using domain::ModelType;

constexpr std::size_t kOpsInFacts = 12;

void add_onnx_facts(const compile::onnx_graph::ModelSummary& summary, Inspection& inspection) {
  auto& facts = inspection.facts;
  std::vector<std::string> opsets;
  for (const auto& [name, version] : summary.opsets) {
    opsets.push_back(fmt::format("{} {}", name.empty() ? "ai.onnx" : name, version));
  }
  facts["opset"] = fmt::format("{}", fmt::join(opsets, ", "));
  facts["ir version"] = std::to_string(summary.ir_version);
  if (!summary.producer.empty()) facts["producer"] = summary.producer;
  if (!summary.graph_name.empty()) facts["graph"] = summary.graph_name;
  facts["parameters"] = std::to_string(summary.parameter_count);
  facts["weight bytes"] = std::to_string(summary.weight_bytes);
  int nodes = 0;
  std::vector<std::string> ops;
  for (const auto& [op, count] : summary.op_counts) {
    nodes += count;
    if (ops.size() < kOpsInFacts) ops.push_back(fmt::format("{} {}", count, op));
  }
  facts["nodes"] = std::to_string(nodes);
  facts["operators"] = fmt::format("{}{}", fmt::join(ops, ", "), summary.op_counts.size() > kOpsInFacts ? ", …" : "");
  if (summary.has_qdq) facts[domain::kQuantizedFact] = "QDQ";
  if (summary.has_ep_context) facts[domain::kHoldsFact] = domain::kHoldsContextBinary;
  if (!summary.outputs_of_unknown_type.empty()) {
    facts["outputs of unknown type"] = fmt::format("{}", fmt::join(summary.outputs_of_unknown_type, ", "));
  }
  for (const auto* others : {&summary.inputs_of_other_types, &summary.outputs_of_other_types}) {
    if (!others->empty()) facts["tensors of other types"] += fmt::format("{} ", fmt::join(*others, ", "));
  }
}

/// A bare .onnx, or the one inside a folder's zip.
Inspection inspect_onnx(const fs::path& file, bool is_folder, const fs::path& scratch) {
  Inspection inspection;
  const auto onnx = onnx_file_of(file, scratch);
  if (!onnx) {
    inspection.error = onnx.error().message;
    return inspection;
  }
  const auto model = compile::onnx_graph::Model::read(*onnx);
  if (!model) {
    inspection.error = model.error().message;
    if (model.error().code == base::Code::kNotFound && !is_folder) {
      inspection.error += "; a model with external data is uploaded as its folder, not as the .onnx alone";
    }
    return inspection;
  }
  const auto summary = model->summary();
  inspection.format = is_folder ? "onnx directory" : "onnx";
  inspection.inputs = tensors_of(summary.inputs);
  inspection.outputs = tensors_of(summary.outputs);
  add_onnx_facts(summary, inspection);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(onnx->parent_path(), error)) {
    if (is_folder && entry.path().extension() == ".encodings") {
      inspection.facts["encodings"] = entry.path().filename().string();
    }
  }
  return inspection;
}

Inspection inspect_tflite(const fs::path& file) {
  Inspection inspection;
  const auto signature = read_tflite_signature(file);
  if (!signature) {
    inspection.error = signature.error().message;
    return inspection;
  }
  inspection.format = "tflite";
  inspection.inputs = tensors_of(signature->inputs);
  inspection.outputs = tensors_of(signature->outputs);
  inspection.facts["operators"] = std::to_string(signature->operators);
  if (!signature->description.empty()) inspection.facts["description"] = signature->description.substr(0, 200);
  return inspection;
}

Inspection failed(std::string words) {
  Inspection inspection;
  inspection.error = std::move(words);
  return inspection;
}

Inspection stored(std::string_view format) {
  Inspection inspection;
  inspection.format = format;
  return inspection;
}

/// Bytes without a mark: what was declared decides which reader is asked.
Inspection inspect_unmarked(const fs::path& file, ModelType declared, const fs::path& scratch) {
  if (declared == ModelType::kQnnContextBinary) return stored("qnn context binary");
  Inspection inspection = inspect_onnx(file, false, scratch);
  if (inspection.error.empty() || declared == ModelType::kOnnx) return inspection;
  return failed(fmt::format("declared as {}, but found {}", describe(declared), describe(Format::kUnmarked)));
}

std::string words_for_zip(const fs::path& file, ModelType declared) {
  const auto entries = list_archive(file);
  return fmt::format("declared as {}: {}", describe(declared),
                     entries ? "the zip archive cannot be read" : entries.error().message);
}

Inspection inspect_content(const fs::path& file, ModelType declared, const fs::path& scratch) {
  const Format format = format_of(file);
  switch (format) {
    case Format::kEmpty:
      return failed(fmt::format("declared as {}, but the upload is empty", describe(declared)));
    case Format::kTflite:
      return inspect_tflite(file);
    case Format::kTorchScript:
      return inspect_torch_model(file, "torchscript");
    case Format::kTorchExportedProgram:
      return inspect_torch_model(file, "torch exported program");
    case Format::kModelFolder:
      return inspect_onnx(file, true, scratch);
    case Format::kOtherZip:
      if (declared == ModelType::kQnnDlc) return stored("qnn dlc");
      if (declared == ModelType::kOnnx || declared == ModelType::kAimetOnnx) return inspect_onnx(file, true, scratch);
      break;
    case Format::kDamagedZip:
      return failed(words_for_zip(file, declared));
    case Format::kUnmarked:
      return inspect_unmarked(file, declared, scratch);
    case Format::kHdf5:
    case Format::kText:
      break;
  }
  return failed(fmt::format("declared as {}, but found {}", describe(declared), describe(format)));
}

}  // namespace

Inspection inspect_model(const fs::path& file, ModelType declared, const fs::path& scratch) {
  Inspection inspection = inspect_content(file, declared, scratch);
  const std::map<std::string, ModelType, std::less<>> types = {
      {"onnx", ModelType::kOnnx},
      {"onnx directory", ModelType::kOnnx},
      {"torchscript", ModelType::kTorchScript},
      {"torch exported program", ModelType::kTorchExportedProgram},
      {"tflite", ModelType::kTflite},
  };
  const auto type = types.find(inspection.format);
  if (type == types.end() || type->second == declared) return inspection;
  if (declared != ModelType::kAimetOnnx || type->second != ModelType::kOnnx) {
    inspection.facts["declared"] = fmt::format("as {}; the content is {}", describe(declared), describe(type->second));
  } else if (!inspection.facts.contains("encodings")) {
    inspection.error = "declared as an AIMET model, but the folder holds no .encodings file";
  }
  return inspection;
}

Inspection inspect_dataset(const fs::path& file) {
  Inspection inspection;
  const auto reader = DatasetReader::open(file);
  if (!reader) {
    const Format format = format_of(file);
    inspection.error = format == Format::kHdf5
                           ? reader.error().message
                           : fmt::format("a dataset is an HDF5 file, but found {}", describe(format));
    return inspection;
  }
  return datasets::inspection_of(*reader);
}

}  // namespace slipway::hub::executor
