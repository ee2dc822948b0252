#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/common/model_folder.hpp"
#include "pipelines/samurai/frame_input.hpp"
#include "pipelines/samurai/prompt.hpp"
#include "runtime/bound_session.hpp"

namespace slipway::pipelines::samurai {

inline constexpr int kPointers = 16;
inline constexpr int kTokens = 4;  ///< masks of the decoder: 0 the single answer, 1 … 3 the candidates

/// What model.yaml says of a SAM 2.1 video model.
struct Constants {
  int image_size = 0;       ///< S: the network sees S × S
  int hidden_channels = 0;  ///< C
  int memory_channels = 0;  ///< M
  int prompt_points = 0;
  float absent_label = 0;
  double stability_min = 0;     ///< below it token 0 is not taken for a prompt's answer
  double object_score_min = 0;  ///< above it an object is shown: the gate that the decoder was exported with
  double motion_weight = 0;
  std::vector<float> mask_downsample_weight;  ///< 4 × 4
  float mask_downsample_bias = 0;

  [[nodiscard]] int feature_side() const { return image_size / 16; }
  [[nodiscard]] int mask_side() const { return image_size / 4; }
  [[nodiscard]] std::size_t memory_floats() const {
    return static_cast<std::size_t>(memory_channels) * static_cast<std::size_t>(feature_side() * feature_side());
  }
  [[nodiscard]] std::size_t mask_floats() const { return static_cast<std::size_t>(mask_side() * mask_side()); }
};

/// One frame as the image encoder sees it: buffers that are used again from frame to frame.
class Features {
 public:
  int width = 0;  ///< of the frame as it came
  int height = 0;
  double prepare_us = 0, encode_us = 0;

 private:
  friend class Network;
  Features(int side, runtime::BoundSession bound) : resize_(side), bound_(std::move(bound)) {}
  SquareResize resize_;
  runtime::BoundSession bound_;
  std::span<const float> embeddings_, high_res1_, high_res2_;
};

/// What the mask decoder says of a frame; valid until its next run.
struct Decoded {
  std::span<const float> masks;     ///< [4][q][q] logits
  std::span<const float> ious;      ///< [4]
  std::span<const float> pointers;  ///< [4][C]
  float object_score = 0;           ///< logit
  float stability = 0;              ///< of token 0
};

/// The graphs of one model folder, loaded and bound.
///
/// Memory attention has a graph for each number of memories; they are loaded when first needed and let go when a larger
/// one has taken over, since the number never falls. Their constants are large.
/// @thread encode() may run in another thread than everything else
/// @source python/exporters/samurai/README.md
class Network {
 public:
  /// @param in_float32  components that are computed in float32 whatever options.provider.precision says:
  ///                    image_encoder, mask_decoder, memory_encoder or memory_attention; prompt_encoder always is
  /// @error as ModelFolder::open and Session::load; kNotFound: a component is missing (it is named);
  ///        kInvalidArgument: graphs of different models or sizes, or another signature; no such component
  [[nodiscard]] static base::Result<std::unique_ptr<Network>> load(std::shared_ptr<runtime::Environment> environment,
                                                                   const std::filesystem::path& model,
                                                                   const runtime::SessionOptions& options,
                                                                   const std::set<std::string>& in_float32 = {});
  ~Network();

  [[nodiscard]] const Constants& constants() const { return constants_; }

  [[nodiscard]] base::Result<std::unique_ptr<Features>> make_features();

  /// Stretches the image to S × S, where it is not so already, and runs the image encoder.
  /// @param width, height  of the frame that the image shows
  /// @error kInvalidArgument: an empty image; as runtime::BoundRun::run
  [[nodiscard]] base::Result<void> encode(media::ImageView image, int width, int height, Features& features);

  /// Sets the prompt of the decoder's next runs.
  /// @param mask  q × q logits, or empty
  [[nodiscard]] base::Result<void> set_prompt(const EncodedPoints& points, std::span<const float> mask);
  /// The same for a frame without a prompt; the network is asked only once.
  [[nodiscard]] base::Result<void> clear_prompt();

  /// Hands a frame's features to the decoder; call before decode_*.
  void set_features(const Features& features);

  /// @param adds_no_memory  true on the frame of a box or point prompt
  [[nodiscard]] base::Result<Decoded> decode_raw(const Features& features, bool adds_no_memory);

  /// Memory attention, then the decoder.
  /// @param memories   M·h·h floats each, slot 0 first, then the oldest first; 1 … 7 of them
  /// @param pointers   C floats each, at most 16
  /// @param distances  as many
  [[nodiscard]] base::Result<Decoded> decode_conditioned(const Features& features,
                                                         std::span<const std::span<const float>> memories,
                                                         std::span<const std::span<const float>> pointers,
                                                         std::span<const float> distances);

  /// The frame's memory: M·h·h floats, valid until the next run.
  /// @param logits  q × q of the chosen mask
  [[nodiscard]] base::Result<std::span<const float>> remember(const Features& features, std::span<const float> logits,
                                                              float object_score, bool is_prompt);

  /// Lets go of attention graphs for fewer memories than `count`.
  void drop_attention_below(std::size_t count);

  /// Where the nodes of each graph run, by its name; of memory attention those that were loaded.
  [[nodiscard]] const std::map<std::string, runtime::PlacementReport>& placements() const { return placements_; }
  [[nodiscard]] const std::vector<std::string>& log_lines() const { return log_lines_; }

  /// Microseconds of the last runs.
  struct Times {
    double load_us = 0;  ///< of an attention graph, when one had to be loaded
    double attention_us = 0, decode_us = 0, remember_us = 0;
  };
  Times times;

 private:
  struct Graph;
  Network();
  [[nodiscard]] base::Result<std::unique_ptr<Graph>> load_graph(const std::string& name);
  [[nodiscard]] base::Result<std::shared_ptr<runtime::Session>> load_session(const std::string& name);
  [[nodiscard]] base::Result<Graph*> attention(std::size_t count);
  [[nodiscard]] base::Result<Decoded> decode();

  std::shared_ptr<runtime::Environment> environment_;
  std::unique_ptr<ModelFolder> folder_;
  runtime::SessionOptions options_;
  std::set<std::string> in_float32_;
  Constants constants_;
  std::string model_id_;
  std::shared_ptr<runtime::Session> encoder_;
  std::unique_ptr<Graph> prompt_encoder_, decoder_, memory_encoder_;
  std::map<std::size_t, std::unique_ptr<Graph>> attentions_;  ///< by number of memories; 0: the masked one
  std::vector<float> empty_sparse_, empty_validity_, empty_dense_;
  std::map<std::string, runtime::PlacementReport> placements_;
  std::vector<std::string> log_lines_;
};

}  // namespace slipway::pipelines::samurai
