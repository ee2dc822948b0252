#include "pipelines/samurai/signature.hpp"

#include <algorithm>

#include "pipelines/samurai/mask_choice.hpp"
#include "pipelines/samurai/memory_rule.hpp"

namespace slipway::pipelines::samurai {

using base::Code;
using base::fail;
using base::Result;
using tensor::Shape;
using tensor::TensorSpec;

namespace {

constexpr const char* kExport = "python -m python.exporters.samurai";
constexpr const char* kMasked = "memory_attention_masked";

struct Signature {
  std::vector<std::pair<std::string, Shape>> inputs, outputs;
};

/// What a component of these sizes takes and gives. Empty for a name that is none.
Signature signature_of(const std::string& name, const Constants& constants) {
  const std::int64_t s = constants.image_size, c = constants.hidden_channels, m = constants.memory_channels;
  const std::int64_t h = constants.feature_side(), q = constants.mask_side(), p = constants.prompt_points;
  const Shape embedding = {1, c, h, h}, high1 = {1, c / 8, q, q}, high2 = {1, c / 4, 2 * h, 2 * h};
  if (name == "image_encoder") {
    return {{{"image", {1, 3, s, s}}},
            {{"image_embeddings", embedding}, {"high_res_features1", high1}, {"high_res_features2", high2}}};
  }
  if (name == "prompt_encoder") {
    return {{{"points", {1, p, 2}}, {"labels", {1, p}}, {"mask", {1, 1, q, q}}, {"has_mask", {1}}},
            {{"sparse_embedding", {1, p, c}}, {"sparse_validity", {1, p}}, {"dense_embedding", embedding}}};
  }
  if (name == "mask_decoder") {
    return {{{"embeddings", embedding},
             {"no_memory", {1}},
             {"high_res_features1", high1},
             {"high_res_features2", high2},
             {"sparse_embedding", {1, p, c}},
             {"sparse_validity", {1, p}},
             {"dense_embedding", embedding}},
            {{"masks", {1, kTokens, q, q}},
             {"ious", {1, kTokens}},
             {"object_pointers", {1, kTokens, c}},
             {"object_score", {1, 1}},
             {"stability", {1, 1}}}};
  }
  if (name == "memory_encoder") {
    return {{{"image_embeddings", embedding}, {"mask", {1, 1, q, q}}, {"object_score", {1, 1}}, {"is_prompt", {1}}},
            {{"memory", {1, m, h, h}}}};
  }
  const bool is_masked = name == kMasked;
  const std::int64_t n = is_masked ? kMemorySlots : name.back() - '0';
  Signature signature = {{{"image_embeddings", embedding},
                          {"memories", {n, m, h, h}},
                          {"object_pointers", {kPointers, c}},
                          {"pointer_distances", {kPointers}},
                          {"pointer_validity", {kPointers}}},
                         {{"conditioned_embeddings", embedding}}};
  if (is_masked) signature.inputs.push_back({"memory_validity", {kMemorySlots}});
  return signature;
}

Result<void> check_side(const ModelFolder& folder, const std::string& name, std::string_view side,
                        const std::vector<std::pair<std::string, Shape>>& expected,
                        const std::vector<TensorSpec>& found, bool allows_free) {
  for (const auto& [tensor_name, shape] : expected) {
    const auto spec = std::ranges::find(found, tensor_name, &TensorSpec::name);
    if (spec == found.end()) {
      return fail(Code::kInvalidArgument, "{}: {} has no {} '{}': it is no component of SAM 2.1 as {} writes it",
                  folder.path().string(), name, side, tensor_name, kExport);
    }
    const bool fits = spec->dtype == tensor::Dtype::kFloat32 &&
                      (spec->shape == shape || (allows_free && tensor::shape_accepts(spec->shape, shape)));
    if (!fits) {
      return fail(Code::kInvalidArgument,
                  "{}: {} of {}: expected {}, found {}: all components must be exported with one size",
                  folder.path().string(), fmt::format("{} '{}'", side, tensor_name), name,
                  tensor::to_string(tensor::Dtype::kFloat32, shape), tensor::to_string(spec->dtype, spec->shape));
    }
  }
  if (found.size() == expected.size()) return {};
  return fail(Code::kInvalidArgument, "{}: {}: expected {} {}s, found {}", folder.path().string(), name,
              expected.size(), side, found.size());
}

Result<double> required(const ModelFolder& folder, const std::string& key, double least, double most) {
  SLIPWAY_ASSIGN(const auto value, folder.number("constants." + key));
  if (!value)
    return fail(Code::kInvalidArgument, "{}/model.yaml: constants.{} is missing", folder.path().string(), key);
  if (!(*value >= least && *value <= most)) {
    return fail(Code::kInvalidArgument, "{}/model.yaml: constants.{}: expected {} … {}, found {}",
                folder.path().string(), key, least, most, *value);
  }
  return *value;
}

Result<std::vector<float>> required_list(const ModelFolder& folder, const std::string& key, std::size_t count) {
  SLIPWAY_ASSIGN(const auto values, folder.numbers("constants." + key));
  if (!values || values->size() != count) {
    return fail(Code::kInvalidArgument, "{}/model.yaml: constants.{}: expected {} numbers, found {}",
                folder.path().string(), key, count, values ? values->size() : 0);
  }
  return std::vector<float>(values->begin(), values->end());
}

}  // namespace

Result<void> check_components(const ModelFolder& folder) {
  if (folder.is_bare_file()) {
    return fail(Code::kInvalidArgument, "{}: one file is not enough: expected a model folder as {} writes it",
                folder.path().string(), kExport);
  }
  std::vector<std::string> missing;
  const auto need = [&](const std::string& name) {
    if (!folder.graph(name)) missing.push_back(name);
  };
  for (const char* name : {"image_encoder", "prompt_encoder", "mask_decoder", "memory_encoder"}) need(name);
  if (!folder.graph(kMasked)) {
    for (int count = 1; count <= kMemorySlots; ++count) need(fmt::format("memory_attention_{}", count));
  }
  for (const ModelGraph& graph : folder.graphs()) {
    std::error_code error;
    if (!std::filesystem::exists(graph.file, error)) missing.push_back(graph.file.filename().string());
  }
  if (missing.empty()) return {};
  return fail(Code::kNotFound, "{}: missing {}: export with {} --components all", folder.path().string(),
              fmt::join(missing, ", "), kExport);
}

Result<Constants> read_constants(const ModelFolder& folder) {
  Constants constants;
  SLIPWAY_ASSIGN(const double size, required(folder, "image_size", 32, 4096));
  SLIPWAY_ASSIGN(const double hidden, required(folder, "hidden_channels", 8, 4096));
  SLIPWAY_ASSIGN(const double memory, required(folder, "memory_channels", 1, 4096));
  SLIPWAY_ASSIGN(const double points, required(folder, "prompt_points", 2, 64));
  SLIPWAY_ASSIGN(const double memories, required(folder, "memories", kMemorySlots, kMemorySlots));
  SLIPWAY_ASSIGN(const double pointers, required(folder, "object_pointers", kPointers, kPointers));
  static_cast<void>(memories);
  static_cast<void>(pointers);
  SLIPWAY_ASSIGN(const double absent, required(folder, "absent_label", -1000, 1000));
  SLIPWAY_ASSIGN(constants.stability_min, required(folder, "stability_threshold", 0, 1));
  constants.image_size = static_cast<int>(size);
  constants.hidden_channels = static_cast<int>(hidden);
  constants.memory_channels = static_cast<int>(memory);
  constants.prompt_points = static_cast<int>(points);
  constants.absent_label = static_cast<float>(absent);
  if (constants.image_size % 16 != 0) {
    return fail(Code::kInvalidArgument, "{}/model.yaml: constants.image_size: expected a multiple of 16, found {}",
                folder.path().string(), constants.image_size);
  }
  // Folders of before had plain SAM 2's gate in their decoder, and do not say so.
  SLIPWAY_ASSIGN(const auto shown, folder.number("constants.object_score_min"));
  constants.object_score_min = shown.value_or(0);
  SLIPWAY_ASSIGN(const auto weight, folder.number("constants.motion_weight"));
  constants.motion_weight = weight.value_or(kMotionWeight);
  if (!(constants.motion_weight >= 0 && constants.motion_weight <= 1)) {
    return fail(Code::kInvalidArgument, "{}/model.yaml: constants.motion_weight: expected 0 … 1, found {}",
                folder.path().string(), constants.motion_weight);
  }
  SLIPWAY_ASSIGN(constants.mask_downsample_weight, required_list(folder, "mask_downsample_weight", 16));
  SLIPWAY_ASSIGN(const auto bias, required_list(folder, "mask_downsample_bias", 1));
  constants.mask_downsample_bias = bias[0];
  return constants;
}

Result<void> check_signature(const ModelFolder& folder, const std::string& name, const Constants& constants,
                             const std::vector<TensorSpec>& inputs, const std::vector<TensorSpec>& outputs) {
  const Signature expected = signature_of(name, constants);
  // The encoder may have been exported for any number of images.
  SLIPWAY_TRY(check_side(folder, name, "input", expected.inputs, inputs, name == "image_encoder"));
  return check_side(folder, name, "output", expected.outputs, outputs, true);
}

Result<void> check_described_attentions(const ModelFolder& folder, const Constants& constants) {
  for (const ModelGraph& graph : folder.graphs()) {
    if (!graph.name.starts_with("memory_attention_") || graph.inputs.empty()) continue;
    SLIPWAY_TRY(check_signature(folder, graph.name, constants, graph.inputs, graph.outputs));
  }
  return {};
}

}  // namespace slipway::pipelines::samurai
