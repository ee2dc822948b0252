#include "hub/domain/judgement.hpp"

#include <algorithm>

#include <fmt/ranges.h>

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

std::string names_text(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

template <typename T, typename Name>
std::vector<std::string> names_of(const std::vector<T>& items, Name name) {
  std::vector<std::string> names;
  for (const T& item : items) names.push_back(name(item));
  return names;
}

std::vector<std::string> input_names(const Model& model) {
  return names_of(model.inspection->inputs, [](const ModelTensor& input) { return input.spec.name; });
}

// Whether data or a spec of `found` may stand for an input of `expected`.
bool dtype_fits(tensor::Dtype expected, tensor::Dtype found, const JobOptions& options) {
  return expected == found ||
         (options.truncate_64bit_io && expected == tensor::Dtype::kInt64 && found == tensor::Dtype::kInt32);
}

Result<void> check_specs(const Model& model, const InputSpecs& specs, const JobOptions& options) {
  const auto& inputs = model.inspection->inputs;
  const auto known = input_names(model);
  const auto given = names_of(specs, [](const tensor::TensorSpec& spec) { return spec.name; });
  if (specs.size() != inputs.size()) {
    return base::fail(Code::kInvalidArgument,
                      "input specs: model {} has {} inputs ({}), but specs for {} are given ({})", model.id,
                      inputs.size(), names_text(known), specs.size(), names_text(given));
  }
  // The model's own names say which input is meant, in any order; new names rename the inputs in theirs. The compiler
  // matches in the same way (compile/onnx_graph/input_specs.hpp).
  const bool is_by_name = std::ranges::is_permutation(given, known);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const std::size_t at =
        is_by_name ? static_cast<std::size_t>(std::ranges::find(known, given[i]) - known.begin()) : i;
    const tensor::TensorSpec& expected = inputs[at].spec;
    for (const std::int64_t size : specs[i].shape) {
      if (size < 1) {
        return base::fail(Code::kInvalidArgument, "input spec '{}': dimensions must be 1 or more, found {}",
                          specs[i].name, tensor::to_string(specs[i].dtype, specs[i].shape));
      }
    }
    if (!dtype_fits(expected.dtype, specs[i].dtype, options) || !tensor::shape_accepts(expected, specs[i].shape)) {
      return base::fail(Code::kInvalidArgument, "input spec '{}': the model's input '{}' expects {}, found {}",
                        specs[i].name, expected.name, tensor::to_string(expected),
                        tensor::to_string(specs[i].dtype, specs[i].shape));
    }
  }
  return {};
}

Result<void> check_dataset(const Model& model, const Dataset& dataset, const JobOptions& options) {
  const auto& inputs = model.inspection->inputs;
  const auto& entries = dataset.inspection->entries;
  const auto expected = input_names(model);
  const auto found = names_of(entries, [](const DatasetEntry& entry) { return entry.name; });
  if (expected != found) {
    return base::fail(Code::kInvalidArgument,
                      "dataset {}: expected one entry for each input of model {}, in its order: {}; found: {}",
                      dataset.id, model.id, names_text(expected), found.empty() ? "none" : names_text(found));
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const tensor::TensorSpec& input = inputs[i].spec;
    if (entries[i].sample_count != entries.front().sample_count || entries[i].sample_count < 1) {
      return base::fail(Code::kInvalidArgument,
                        "dataset {}: input '{}' has {} samples, '{}' has {}; expected the same "
                        "number, 1 or more",
                        dataset.id, entries[i].name, entries[i].sample_count, entries.front().name,
                        entries.front().sample_count);
    }
    for (const tensor::Shape& shape : entries[i].shapes) {
      if (dtype_fits(input.dtype, entries[i].dtype, options) && tensor::shape_accepts(input, shape)) continue;
      return base::fail(Code::kInvalidArgument, "dataset {}: input '{}' expects {}, found {}", dataset.id, input.name,
                        tensor::to_string(input), tensor::to_string(entries[i].dtype, shape));
    }
  }
  return {};
}

}  // namespace

std::string qnn_settings(const JobOptions& options) {
  std::vector<std::string> given;
  for (const auto& [key, value] : options.qnn_options) given.push_back("--qnn_options " + key);
  for (const auto& [key, value] : options.onnx_options) {
    if (key.starts_with("qnn_")) given.push_back("--onnx_options " + key);
  }
  if (options.qairt_version) given.emplace_back("--qairt_version");
  return fmt::format("{}", fmt::join(given, ", "));
}

Result<void> check_against_model(const Model& model, const InputSpecs& specs, const std::optional<Dataset>& dataset,
                                 const JobOptions& options) {
  if (!model.inspection || model.inspection->inputs.empty()) return {};
  if (!specs.empty()) SLIPWAY_TRY(check_specs(model, specs, options));
  if (dataset && dataset->inspection) SLIPWAY_TRY(check_dataset(model, *dataset, options));
  return {};
}

Result<void> check_qairt_version(const JobFacts& facts) {
  const auto& wanted = facts.options.qairt_version;
  if (!wanted || *wanted == "default" || *wanted == "latest") return {};
  std::vector<std::string> installed;
  for (const Framework& framework : facts.frameworks) {
    if (framework.name == "QAIRT") installed.push_back(framework.api_version);
  }
  if (std::ranges::find(installed, *wanted) != installed.end()) return {};
  return base::fail(Code::kInvalidArgument, "option --qairt_version: {} is not installed here; installed: {}", *wanted,
                    installed.empty() ? "none" : fmt::format("{}", fmt::join(installed, ", ")));
}

Result<void> check_inputs(const JobFacts& facts) {
  for (const SourceModel& source : facts.models) {
    if (!source.model.inspection || source.model.inspection->error.empty()) continue;
    return base::fail(Code::kInvalidArgument, "model {} cannot be used: {}", source.model.id,
                      source.model.inspection->error);
  }
  if (facts.dataset && facts.dataset->inspection && !facts.dataset->inspection->error.empty()) {
    return base::fail(Code::kInvalidArgument, "dataset {} cannot be used: {}", facts.dataset->id,
                      facts.dataset->inspection->error);
  }
  return {};
}

}  // namespace slipway::hub::domain
