#include "pipelines/samurai/tracker.hpp"

#include <algorithm>

#include "pipelines/common/timing.hpp"
#include "pipelines/samurai/memory_bank.hpp"

namespace slipway::pipelines::samurai {

using base::Code;
using base::fail;
using base::Result;

namespace {

// What a mask prompt counts as, in place of the decoder's answer.
constexpr float kMaskPromptGain = 20, kMaskPromptBias = -10, kMaskPromptScore = 10;

/// The answer for one object before the rules' bookkeeping is applied to it.
struct Answer {
  std::size_t token = 0;
  std::size_t pointer_token = 0;
  std::span<const float> logits;
  float object_score = 0;
};

}  // namespace

struct SamuraiTracker::State {
  struct Object {
    Prompt prompt;
    TrackRules rules;
    MemoryBank bank;
  };

  std::unique_ptr<Network> network;
  std::unique_ptr<Features> features;  ///< of track(ImageView)
  std::vector<Prompt> prompts;
  std::vector<Object> objects;
  std::int64_t next_frame = 0;
  double distance_unit = 1;  ///< of the pointers' distances: longer than a frame in a short video
  bool is_started = false;
  std::vector<float> mask_logits;  ///< of a mask prompt

  [[nodiscard]] const Constants& constants() const { return network->constants(); }

  Result<void> begin(const Features& frame);
  Result<void> track_object(Object& object, const Features& frame, ObjectResult& result, FrameResult::Times& times);
  Result<Decoded> decode_with_memory(Object& object, const Features& frame);
  Result<Decoded> decode_prompt(const Object& object, const Features& frame);
  Plane square_mask(const PromptMask& mask) const;
  void trace_candidates(const Decoded& decoded, std::size_t first_token, std::size_t count, TraceFrame& trace) const;
};

/// Mask prompts at the network's size, 0 or 1.
Plane SamuraiTracker::State::square_mask(const PromptMask& mask) const {
  Plane shown{mask.width, mask.height, std::vector<float>(mask.pixels.size())};
  std::ranges::transform(mask.pixels, shown.values.begin(),
                         [](std::uint8_t value) { return value != 0 ? 1.0F : 0.0F; });
  Plane square = resized_with_antialias(shown, constants().image_size, constants().image_size);
  for (float& value : square.values) value = value >= 0.5F ? 1.0F : 0.0F;
  return square;
}

Result<void> SamuraiTracker::State::begin(const Features& frame) {
  objects.clear();
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    auto checked = checked_prompt(prompts[i], frame.width, frame.height, constants().prompt_points);
    if (!checked) {
      if (prompts.size() == 1) return std::unexpected(checked.error());
      return std::unexpected(checked.error().with(fmt::format("object {}", i + 1)));
    }
    objects.push_back({std::move(*checked), TrackRules(constants().motion_weight),
                       MemoryBank(constants().memory_floats(), static_cast<std::size_t>(constants().hidden_channels))});
  }
  return {};
}

Result<Decoded> SamuraiTracker::State::decode_prompt(const Object& object, const Features& frame) {
  const Constants& c = constants();
  if (!object.prompt.mask) {
    const double scale_x = static_cast<double>(c.image_size) / frame.width;
    const double scale_y = static_cast<double>(c.image_size) / frame.height;
    SLIPWAY_TRY(
        network->set_prompt(encode_points(object.prompt, c.prompt_points, scale_x, scale_y, c.absent_label), {}));
    return network->decode_raw(frame, true);
  }
  // A mask is its own answer; the decoder is asked for the object's pointer.
  const Plane square = square_mask(*object.prompt.mask);
  const auto size = static_cast<std::size_t>(c.image_size), q = static_cast<std::size_t>(c.mask_side());
  std::vector<float> shown(q * q);
  mask_logits = resized_with_antialias(square, c.mask_side(), c.mask_side()).values;
  for (float& logit : mask_logits) logit = kMaskPromptGain * logit + kMaskPromptBias;
  for (std::size_t y = 0; y < q; ++y) {
    for (std::size_t x = 0; x < q; ++x) {
      float weighted = c.mask_downsample_bias;
      for (std::size_t i = 0; i < 16; ++i) {
        weighted += c.mask_downsample_weight[i] * square.values[(4 * y + i / 4) * size + 4 * x + i % 4];
      }
      shown[y * q + x] = weighted;
    }
  }
  SLIPWAY_TRY(network->set_prompt(encode_points({}, c.prompt_points, 1, 1, c.absent_label), shown));
  return network->decode_raw(frame, false);
}

Result<Decoded> SamuraiTracker::State::decode_with_memory(Object& object, const Features& frame) {
  const MemoryRule& rule = object.rules.memory();
  std::vector<std::span<const float>> memories, pointers;
  std::vector<float> distances;
  for (const MemorySlot& slot : rule.memories()) memories.push_back(object.bank.memory(slot.frame));
  for (const PointerAge& age : rule.pointers()) {
    pointers.push_back(object.bank.pointer(age.frame));
    distances.push_back(static_cast<float>(static_cast<double>(age.distance) * distance_unit));
  }
  SLIPWAY_TRY(network->clear_prompt());
  return network->decode_conditioned(frame, memories, pointers, distances);
}

void SamuraiTracker::State::trace_candidates(const Decoded& decoded, std::size_t first_token, std::size_t count,
                                             TraceFrame& trace) const {
  const std::size_t floats = constants().mask_floats();
  trace.frame = next_frame;
  trace.object_score = decoded.object_score;
  trace.candidates.clear();
  for (std::size_t token = first_token; token < first_token + count; ++token) {
    trace.candidates.push_back({enlarged_bounds(decoded.masks.subspan(token * floats, floats), constants().mask_side(),
                                                constants().image_size),
                                decoded.ious[token]});
  }
}

Result<void> SamuraiTracker::State::track_object(Object& object, const Features& frame, ObjectResult& result,
                                                 FrameResult::Times& times) {
  Stopwatch watch;
  const bool is_first = next_frame == 0;
  network->times = {};
  SLIPWAY_ASSIGN(const Decoded decoded, is_first ? decode_prompt(object, frame) : decode_with_memory(object, frame));
  static_cast<void>(watch.lap_us());
  const std::size_t floats = constants().mask_floats();
  const auto mask_of = [&](std::size_t token) { return decoded.masks.subspan(token * floats, floats); };

  Answer answer;
  answer.object_score = decoded.object_score;
  const bool is_certain = object.prompt.box || object.prompt.points.size() > 1;
  if (is_first && object.prompt.mask) {
    answer.logits = mask_logits;
    answer.object_score = kMaskPromptScore;
    result.trace = {
        0, {{enlarged_bounds(mask_logits, constants().mask_side(), constants().image_size), 1.0}}, kMaskPromptScore};
  } else if (is_first && is_certain) {
    // One mask is meant, unless it is too unsure of its own edge; the pointer stays token 0's.
    if (decoded.stability < constants().stability_min) {
      answer.token = static_cast<std::size_t>(std::ranges::max_element(decoded.ious.subspan(1)) - decoded.ious.begin());
    }
    answer.logits = mask_of(answer.token);
    trace_candidates(decoded, answer.token, 1, result.trace);
  } else {
    trace_candidates(decoded, 1, kTokens - 1, result.trace);
  }
  result.decision = object.rules.decide(result.trace.candidates, result.trace.object_score);
  if (answer.logits.empty()) {
    answer.token = answer.pointer_token = result.decision.choice.index + 1;
    answer.logits = mask_of(answer.token);
  }

  result.predicted_iou = result.trace.candidates[result.decision.choice.index].predicted_iou;
  result.is_visible = answer.object_score > constants().object_score_min;
  result.logits.assign(answer.logits.begin(), answer.logits.end());
  enlarge_and_cut(answer.logits, constants().mask_side(), frame.width, frame.height, result.mask);
  times.finish += watch.lap_us();

  SLIPWAY_ASSIGN(const auto memory, network->remember(frame, answer.logits, answer.object_score, is_first));
  const auto pointer_floats = static_cast<std::size_t>(constants().hidden_channels);
  object.bank.store(next_frame, memory, decoded.pointers.subspan(answer.pointer_token * pointer_floats, pointer_floats),
                    object.rules.memory().needed_frames());
  times.load += network->times.load_us;
  times.attention += network->times.attention_us;
  times.decode += network->times.decode_us;
  times.remember += network->times.remember_us;
  return {};
}

SamuraiTracker::SamuraiTracker(std::unique_ptr<State> state) : state_(std::move(state)) {}
SamuraiTracker::~SamuraiTracker() = default;

Result<std::unique_ptr<SamuraiTracker>> SamuraiTracker::load(std::shared_ptr<runtime::Environment> environment,
                                                             const std::filesystem::path& model,
                                                             const runtime::SessionOptions& options,
                                                             const std::set<std::string>& in_float32) {
  auto state = std::make_unique<State>();
  SLIPWAY_ASSIGN(state->network, Network::load(std::move(environment), model, options, in_float32));
  return std::unique_ptr<SamuraiTracker>(new SamuraiTracker(std::move(state)));
}

Result<void> SamuraiTracker::start(std::vector<Prompt> prompts, std::optional<std::int64_t> video_frames) {
  if (prompts.empty()) {
    return fail(Code::kInvalidArgument, "no object was shown: expected a box, points or a mask of the first frame");
  }
  // The network divides distances by 15; the original by the number of pointers that the whole video can have.
  const std::int64_t farthest = std::min<std::int64_t>(video_frames.value_or(kPointers), kPointers) - 1;
  state_->distance_unit =
      static_cast<double>(kPointerDistance) / static_cast<double>(std::max<std::int64_t>(farthest, 1));
  state_->prompts = std::move(prompts);
  state_->objects.clear();
  state_->next_frame = 0;
  state_->is_started = true;
  return {};
}

Result<std::unique_ptr<Features>> SamuraiTracker::make_features() {
  return state_->network->make_features();
}

Result<void> SamuraiTracker::encode(media::ImageView frame, Features& features) {
  return encode(frame, frame.width, frame.height, features);
}

Result<void> SamuraiTracker::encode(media::ImageView stretched, int width, int height, Features& features) {
  return state_->network->encode(stretched, width, height, features);
}

Result<void> SamuraiTracker::track(media::ImageView frame, FrameResult& result) {
  if (!state_->features) {
    SLIPWAY_ASSIGN(state_->features, make_features());
  }
  SLIPWAY_TRY(encode(frame, *state_->features));
  return track(*state_->features, result);
}

Result<void> SamuraiTracker::track(const Features& features, FrameResult& result) {
  State& state = *state_;
  if (!state.is_started) return fail(Code::kFailedPrecondition, "nothing to follow yet: call start() with prompts");
  Stopwatch watch;
  result.times = {};
  result.times.prepare = features.prepare_us;
  result.times.encode = features.encode_us;
  if (state.next_frame == 0) SLIPWAY_TRY(state.begin(features));
  state.network->set_features(features);
  result.frame = state.next_frame;
  result.objects.resize(state.objects.size());
  std::size_t fewest = kMemorySlots;
  for (std::size_t i = 0; i < state.objects.size(); ++i) {
    SLIPWAY_TRY(state.track_object(state.objects[i], features, result.objects[i], result.times));
    fewest = std::min(fewest, state.objects[i].rules.memory().memories().size());
  }
  state.network->drop_attention_below(fewest);
  ++state.next_frame;
  result.times.track = watch.lap_us();
  return {};
}

const Network& SamuraiTracker::network() const {
  return *state_->network;
}

}  // namespace slipway::pipelines::samurai
