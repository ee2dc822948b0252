#include "pipelines/samurai/network.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <fmt/ranges.h>

#include "pipelines/common/timing.hpp"
#include "pipelines/samurai/memory_rule.hpp"
#include "pipelines/samurai/signature.hpp"

namespace slipway::pipelines::samurai {

using base::Code;
using base::fail;
using base::Result;
using tensor::Dtype;

namespace {

constexpr const char* kMasked = "memory_attention_masked";

std::string attention_name(std::size_t count) {
  return count == 0 ? kMasked : fmt::format("memory_attention_{}", count);
}

Result<std::span<const float>> values_of(const tensor::NamedTensors& tensors, std::string_view name,
                                         std::size_t expected) {
  const auto found = std::ranges::find(tensors, name, &tensor::NamedTensor::name);
  SLIPWAY_CHECK(found != tensors.end(), "the signature was checked");
  const std::span<const float> values = found->tensor.values<float>();
  if (values.size() == expected) return values;
  return fail(Code::kInvalidArgument, "output '{}' gave {}, expected {} values: export the model again", name,
              tensor::to_string(found->tensor.dtype(), found->tensor.shape()), expected);
}

void copy(std::span<const float> from, std::span<float> to) {
  SLIPWAY_CHECK(from.size() <= to.size(), "the buffer has room");
  std::ranges::copy(from, to.begin());
}

}  // namespace

struct Network::Graph {
  std::string name;
  runtime::BoundSession bound;

  std::span<float> input(std::string_view tensor_name) { return bound.input(tensor_name).values<float>(); }

  Result<const tensor::NamedTensors*> run() {
    if (auto done = bound.run(); !done) return std::unexpected(done.error().with(name));
    return bound.outputs();
  }
};

Network::Network() = default;
Network::~Network() = default;

Result<std::unique_ptr<Network>> Network::load(std::shared_ptr<runtime::Environment> environment,
                                               const std::filesystem::path& model,
                                               const runtime::SessionOptions& options,
                                               const std::set<std::string>& in_float32) {
  constexpr std::array<std::string_view, 5> kComponents = {"image_encoder", "prompt_encoder", "mask_decoder",
                                                           "memory_encoder", "memory_attention"};
  for (const std::string& name : in_float32) {
    if (std::ranges::find(kComponents, name) == kComponents.end()) {
      return fail(Code::kInvalidArgument, "no component '{}': expected one of {}", name, fmt::join(kComponents, ", "));
    }
  }
  std::unique_ptr<Network> network(new Network());
  network->environment_ = std::move(environment);
  network->options_ = options;
  network->in_float32_ = in_float32;
  // Threads that spin after a run would take the cores from the graph that runs next, or beside it.
  network->options_.allow_spinning = false;
  network->options_.enable_memory_pattern = false;
  SLIPWAY_ASSIGN(ModelFolder folder, ModelFolder::open(model));
  network->folder_ = std::make_unique<ModelFolder>(std::move(folder));
  SLIPWAY_TRY(check_components(*network->folder_));
  SLIPWAY_ASSIGN(network->constants_, read_constants(*network->folder_));
  SLIPWAY_ASSIGN(network->encoder_, network->load_session("image_encoder"));
  SLIPWAY_ASSIGN(network->prompt_encoder_, network->load_graph("prompt_encoder"));
  SLIPWAY_ASSIGN(network->decoder_, network->load_graph("mask_decoder"));
  SLIPWAY_ASSIGN(network->memory_encoder_, network->load_graph("memory_encoder"));
  // Every attention graph is checked now by what model.yaml says of it: a wrong one should not come up at frame six.
  SLIPWAY_TRY(check_described_attentions(*network->folder_, network->constants_));
  SLIPWAY_TRY(network->attention(1));
  return network;
}

Result<std::shared_ptr<runtime::Session>> Network::load_session(const std::string& name) {
  SLIPWAY_ASSIGN(const ModelGraph* described, folder_->graph(name));
  runtime::SessionOptions options = options_;
  const bool is_attention = name.starts_with("memory_attention");
  // Eight bits are too few for a prompt's coordinates, and the prompt encoder takes no time.
  if (name == "prompt_encoder" || in_float32_.contains(is_attention ? "memory_attention" : name)) {
    options.provider.precision = runtime::Precision::kFloat32;
  }
  auto loaded = runtime::Session::load(environment_, described->file, options);
  if (!loaded) {
    return std::unexpected(loaded.error().with(fmt::format("{}: component {}", folder_->path().string(), name)));
  }
  std::shared_ptr<runtime::Session> session = std::move(*loaded);
  const std::string id = session->metadata("slipway.model_id").value_or("");
  if (model_id_.empty()) model_id_ = id;
  if (id != model_id_) {
    return fail(Code::kInvalidArgument,
                "{}: {} is of model '{}', the components before it of '{}': all must come from one export",
                folder_->path().string(), described->file.filename().string(), id, model_id_);
  }
  SLIPWAY_TRY(check_signature(*folder_, name, constants_, session->inputs(), session->outputs()));
  placements_[name] = session->placement();
  log_lines_.insert(log_lines_.end(), session->log_lines().begin(), session->log_lines().end());
  return session;
}

Result<std::unique_ptr<Network::Graph>> Network::load_graph(const std::string& name) {
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Session> session, load_session(name));
  SLIPWAY_ASSIGN(auto bound, runtime::BoundSession::bind(session, session->inputs()));
  return std::make_unique<Graph>(name, std::move(bound));
}

Result<Network::Graph*> Network::attention(std::size_t count) {
  const bool has_own = folder_->graph(attention_name(count)).has_value();
  const std::size_t key = has_own ? count : 0;
  auto& graph = attentions_[key];
  if (graph) return graph.get();
  Stopwatch watch;
  SLIPWAY_ASSIGN(graph, load_graph(attention_name(key)));
  times.load_us = watch.lap_us();
  return graph.get();
}

void Network::drop_attention_below(std::size_t count) {
  std::erase_if(attentions_, [&](const auto& each) { return each.first != 0 && each.first < count; });
}

Result<std::unique_ptr<Features>> Network::make_features() {
  const std::int64_t side = constants_.image_size;
  SLIPWAY_ASSIGN(auto bound,
                 runtime::BoundSession::bind(encoder_, {{"image", Dtype::kFloat32, {1, 3, side, side}, std::nullopt}}));
  return std::unique_ptr<Features>(new Features(constants_.image_size, std::move(bound)));
}

Result<void> Network::encode(media::ImageView image, int width, int height, Features& features) {
  Stopwatch watch;
  SLIPWAY_TRY(features.resize_.to_planes(image, features.bound_.input(0).values<float>()));
  features.width = width;
  features.height = height;
  features.prepare_us = watch.lap_us();
  if (auto done = features.bound_.run(); !done) return std::unexpected(done.error().with("image_encoder"));
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, features.bound_.outputs());
  const auto c = static_cast<std::size_t>(constants_.hidden_channels);
  const auto h = static_cast<std::size_t>(constants_.feature_side());
  SLIPWAY_ASSIGN(features.embeddings_, values_of(*outputs, "image_embeddings", c * h * h));
  SLIPWAY_ASSIGN(features.high_res1_, values_of(*outputs, "high_res_features1", c / 8 * h * h * 16));
  SLIPWAY_ASSIGN(features.high_res2_, values_of(*outputs, "high_res_features2", c / 4 * h * h * 4));
  features.encode_us = watch.lap_us();
  return {};
}

Result<void> Network::set_prompt(const EncodedPoints& points, std::span<const float> mask) {
  copy(points.xy, prompt_encoder_->input("points"));
  copy(points.labels, prompt_encoder_->input("labels"));
  prompt_encoder_->input("has_mask")[0] = mask.empty() ? 0.0F : 1.0F;
  if (mask.empty()) {
    std::ranges::fill(prompt_encoder_->input("mask"), 0.0F);
  } else {
    copy(mask, prompt_encoder_->input("mask"));
  }
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, prompt_encoder_->run());
  for (const char* name : {"sparse_embedding", "sparse_validity", "dense_embedding"}) {
    const std::span<float> to = decoder_->input(name);
    SLIPWAY_ASSIGN(const auto from, values_of(*outputs, name, to.size()));
    copy(from, to);
  }
  return {};
}

Result<void> Network::clear_prompt() {
  const auto sparse = decoder_->input("sparse_embedding"), validity = decoder_->input("sparse_validity"),
             dense = decoder_->input("dense_embedding");
  if (empty_dense_.empty()) {
    SLIPWAY_TRY(set_prompt(encode_points({}, constants_.prompt_points, 1, 1, constants_.absent_label), {}));
    empty_sparse_.assign(sparse.begin(), sparse.end());
    empty_validity_.assign(validity.begin(), validity.end());
    empty_dense_.assign(dense.begin(), dense.end());
    return {};
  }
  copy(empty_sparse_, sparse);
  copy(empty_validity_, validity);
  copy(empty_dense_, dense);
  return {};
}

void Network::set_features(const Features& features) {
  copy(features.high_res1_, decoder_->input("high_res_features1"));
  copy(features.high_res2_, decoder_->input("high_res_features2"));
}

Result<Decoded> Network::decode() {
  Stopwatch watch;
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, decoder_->run());
  Decoded decoded;
  SLIPWAY_ASSIGN(decoded.masks, values_of(*outputs, "masks", kTokens * constants_.mask_floats()));
  SLIPWAY_ASSIGN(decoded.ious, values_of(*outputs, "ious", kTokens));
  SLIPWAY_ASSIGN(decoded.pointers, values_of(*outputs, "object_pointers",
                                             kTokens * static_cast<std::size_t>(constants_.hidden_channels)));
  SLIPWAY_ASSIGN(const auto score, values_of(*outputs, "object_score", 1));
  SLIPWAY_ASSIGN(const auto stability, values_of(*outputs, "stability", 1));
  decoded.object_score = score[0];
  decoded.stability = stability[0];
  if (!std::isfinite(score[0]) || !std::ranges::all_of(decoded.ious, [](float iou) { return std::isfinite(iou); })) {
    return fail(Code::kDataLoss,
                "mask_decoder gave scores that are not finite (object score {}): this model overflows "
                "here; use one in float32",
                score[0]);
  }
  times.decode_us = watch.lap_us();
  return decoded;
}

Result<Decoded> Network::decode_raw(const Features& features, bool adds_no_memory) {
  copy(features.embeddings_, decoder_->input("embeddings"));
  decoder_->input("no_memory")[0] = adds_no_memory ? 1.0F : 0.0F;
  times.attention_us = 0;
  return decode();
}

Result<Decoded> Network::decode_conditioned(const Features& features, std::span<const std::span<const float>> memories,
                                            std::span<const std::span<const float>> pointers,
                                            std::span<const float> distances) {
  SLIPWAY_CHECK(!memories.empty() && memories.size() <= kMemorySlots && pointers.size() <= kPointers &&
                    pointers.size() == distances.size(),
                "as the rules select");
  SLIPWAY_ASSIGN(Graph * graph, attention(memories.size()));
  Stopwatch watch;
  copy(features.embeddings_, graph->input("image_embeddings"));
  const bool is_masked = graph->name == kMasked;
  const std::span<float> rows = graph->input("memories");
  const std::size_t row_floats = constants_.memory_floats();
  if (is_masked) std::ranges::fill(graph->input("memory_validity"), 0.0F);
  for (std::size_t i = 0; i < memories.size(); ++i) {
    const std::size_t row = is_masked && i > 0 ? kMemorySlots - memories.size() + i : i;
    copy(memories[i], rows.subspan(row * row_floats, row_floats));
    if (is_masked) graph->input("memory_validity")[row] = 1;
  }
  const auto pointer_floats = static_cast<std::size_t>(constants_.hidden_channels);
  const std::span<float> validity = graph->input("pointer_validity");
  std::ranges::fill(validity, 0.0F);
  for (std::size_t i = 0; i < pointers.size(); ++i) {
    copy(pointers[i], graph->input("object_pointers").subspan(i * pointer_floats, pointer_floats));
    graph->input("pointer_distances")[i] = distances[i];
    validity[i] = 1;
  }
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, graph->run());
  const std::span<float> embeddings = decoder_->input("embeddings");
  SLIPWAY_ASSIGN(const auto conditioned, values_of(*outputs, "conditioned_embeddings", embeddings.size()));
  copy(conditioned, embeddings);
  decoder_->input("no_memory")[0] = 0;
  times.attention_us = watch.lap_us();
  return decode();
}

Result<std::span<const float>> Network::remember(const Features& features, std::span<const float> logits,
                                                 float object_score, bool is_prompt) {
  Stopwatch watch;
  copy(features.embeddings_, memory_encoder_->input("image_embeddings"));
  copy(logits, memory_encoder_->input("mask"));
  memory_encoder_->input("object_score")[0] = object_score;
  memory_encoder_->input("is_prompt")[0] = is_prompt ? 1.0F : 0.0F;
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, memory_encoder_->run());
  SLIPWAY_ASSIGN(const auto memory, values_of(*outputs, "memory", constants_.memory_floats()));
  times.remember_us = watch.lap_us();
  return memory;
}

}  // namespace slipway::pipelines::samurai
