#include "hub/protocol/internal/report_json.hpp"

#include <cmath>

#include "hub/domain/job_state.hpp"
#include "hub/protocol/wire_text.hpp"

namespace slipway::hub::protocol::internal {
namespace {

using nlohmann::ordered_json;

std::string_view model_type_name(domain::ModelType type) {
  switch (type) {
    case domain::ModelType::kTorchScript:
      return "TorchScript";
    case domain::ModelType::kTflite:
      return "TensorFlow Lite";
    case domain::ModelType::kOnnx:
      return "ONNX";
    case domain::ModelType::kQnnContextBinary:
      return "QNN context binary";
    case domain::ModelType::kAimetOnnx:
      return "AIMET ONNX";
    case domain::ModelType::kQnnDlc:
      return "QNN DLC";
    case domain::ModelType::kTorchExportedProgram:
      return "PyTorch exported program";
  }
  return "unknown";
}

}  // namespace

ordered_json number(double value) {
  if (std::isnan(value)) return "undefined";
  if (std::isinf(value)) return value > 0 ? "infinite" : "-infinite";
  return value;
}

ordered_json time_or_null(const std::optional<base::Time>& time) {
  return time ? ordered_json(base::iso8601(*time)) : ordered_json(nullptr);
}

ordered_json tensor_json(const tensor::TensorSpec& spec, std::string_view graph_name) {
  ordered_json entry{{"name", wire_text(spec.name)}, {"type", tensor::to_string(spec)}};
  if (!graph_name.empty()) entry["graph"] = wire_text(graph_name);
  if (spec.quantization) {
    entry["scale"] = number(static_cast<double>(spec.quantization->scale));
    entry["zero_point"] = spec.quantization->zero_point;
  }
  return entry;
}

ordered_json tensors_json(const std::vector<domain::ModelTensor>& tensors) {
  ordered_json list = ordered_json::array();
  for (const domain::ModelTensor& entry : tensors) list.push_back(tensor_json(entry.spec, entry.graph_name));
  return list;
}

ordered_json blob_json(const domain::Blob& blob) {
  if (blob.sha256.empty()) return nullptr;
  return {{"sha256", wire_text(blob.sha256)}, {"size_bytes", blob.size_bytes}};
}

ordered_json model_json(const domain::Model& model, const std::string& link) {
  ordered_json entry{{"id", wire_text(model.id)},
                     {"name", wire_text(model.name)},
                     {"format", model_type_name(model.type)},
                     {"content", blob_json(model.content)},
                     {"producer_job_id", wire_text(model.producer_job_id)},
                     {"download_url", link}};
  if (model.inspection) {
    entry["error"] = wire_text(model.inspection->error);
    entry["inputs"] = tensors_json(model.inspection->inputs);
    entry["outputs"] = tensors_json(model.inspection->outputs);
    ordered_json facts = ordered_json::object();
    for (const auto& [key, value] : model.inspection->facts) facts[wire_text(key)] = wire_text(value);
    entry["facts"] = facts;
  }
  return entry;
}

ordered_json dataset_json(const domain::Dataset& dataset, const std::string& link) {
  ordered_json entry{{"id", wire_text(dataset.id)},
                     {"name", wire_text(dataset.name)},
                     {"content", blob_json(dataset.content)},
                     {"expires", time_or_null(dataset.expires)},
                     {"producer_job_id", wire_text(dataset.producer_job_id)},
                     {"download_url", link}};
  if (dataset.inspection) {
    entry["error"] = wire_text(dataset.inspection->error);
    ordered_json entries = ordered_json::array();
    for (const domain::DatasetEntry& tensor : dataset.inspection->entries) {
      const tensor::Shape shape = tensor.shapes.empty() ? tensor::Shape{} : tensor.shapes.front();
      entries.push_back({{"name", wire_text(tensor.name)},
                         {"type", tensor::to_string(tensor.dtype, shape)},
                         {"shapes_differ", tensor.shapes.size() > 1},
                         {"samples", tensor.sample_count}});
    }
    entry["entries"] = entries;
  }
  return entry;
}

void report_agreement(const std::vector<domain::OutputAgreement>& agreement, const std::string& note,
                      nlohmann::ordered_json& report) {
  auto rows = nlohmann::ordered_json::array();
  for (const domain::OutputAgreement& row : agreement) {
    rows.push_back({{"output", wire_text(row.output)},
                    {"elements", row.elements},
                    {"not_comparable", row.not_comparable},
                    {"source_nan", row.source_nan},
                    {"equal_share", number(row.equal_share)},
                    {"is_exact", row.is_exact},
                    {"alarm", wire_text(row.alarm)},
                    {"max_abs", number(row.max_abs)},
                    {"relative_max", number(row.relative_max)},
                    {"cosine", number(row.cosine)},
                    {"snr_db", number(row.snr_db)},
                    {"psnr_db", number(row.psnr_db)}});
  }
  report["agreement"] = {{"rows", rows}, {"note", wire_text(note)}};
}

void report_compiler_account(const domain::CompilerAccount& account, ordered_json& report) {
  if (account.compiler_estimate) {
    report["compiler_estimate"] = {
        {"label", "The compiler's own estimate for the chip. It is a model, not a measurement on a device."},
        {"nominal_us", number(account.compiler_estimate->nominal_us)},
        {"lower_us", number(account.compiler_estimate->lower_us)},
        {"upper_us", number(account.compiler_estimate->upper_us)}};
  }
  for (const auto& [name, bytes] : account.compiler_traffic_bytes) {
    report["compiler_traffic_bytes"][wire_text(name)] = bytes;
  }
}

ordered_json job_json(const domain::Job& job) {
  const auto* const run = domain::part<domain::kinds::Run>(job.payload);
  return {{"id", wire_text(job.id)},
          {"kind", domain::entry_of(job.payload).name},
          {"name", wire_text(job.name)},
          {"state", domain::state_name(job.state)},
          {"is_finished", domain::is_terminal(job.state)},
          {"has_warnings", !domain::warnings_of(job).empty()},
          {"is_profiling", run != nullptr && run->is_profiling},
          {"created", base::iso8601(job.created)},
          {"started", time_or_null(job.started)},
          {"completed", time_or_null(job.completed)},
          {"updated", base::iso8601(job.updated)}};
}

ordered_json jobs_json(const std::vector<domain::Job>& jobs) {
  ordered_json list = ordered_json::array();
  for (const domain::Job& job : jobs) {
    list.push_back(job_json(job));
    list.back()["device"] = job.device ? wire_text(job.device->name) : "";
  }
  return list;
}

}  // namespace slipway::hub::protocol::internal
