#pragma once

#include <memory>
#include <span>
#include <vector>

#include "pipelines/mediapipe_common/pipeline_config.hpp"
#include "pipelines/mediapipe_common/region_network.hpp"

namespace slipway::pipelines::mediapipe {

/// Finds the landmarks of objects in their regions of pictures.
/// @tparam Graph  gives Object, Config, Detections, Signature, read_signature(), crop_rules(), objects() and read()
/// @thread one object belongs to one thread
template <typename Graph>
class Landmarker {
 public:
  /// @error as runtime::Session::load and Graph::read_signature, with the file's name
  [[nodiscard]] static base::Result<Landmarker> load(std::shared_ptr<runtime::Environment> environment,
                                                     const NetworkFile& file, const runtime::SessionOptions& options,
                                                     const typename Graph::Config& config) {
    SLIPWAY_ASSIGN(std::unique_ptr<runtime::Session> session,
                   runtime::Session::load(std::move(environment), file.path, options));
    auto signature = Graph::read_signature(session->inputs(), session->outputs(), file.quantization, config.batch);
    if (!signature) return std::unexpected(signature.error().with(file.path.string()));
    SLIPWAY_ASSIGN(RegionNetwork network, RegionNetwork::create(std::move(session), signature->input,
                                                                signature->outputs, file, Graph::crop_rules(config)));
    return Landmarker(config.presence_min, std::move(*signature), std::move(network));
  }

  /// Fills landmarks, presence and has_landmarks (presence at least Config::presence_min) of all objects from their
  /// regions, and what was run. Allocates nothing once buffers have grown.
  /// @param found  one a picture
  [[nodiscard]] base::Result<void> run(std::span<const media::ImageView> images,
                                       std::span<typename Graph::Detections> found) {
    looks_.clear();
    objects_.clear();
    for (std::size_t i = 0; i < images.size(); ++i) {
      for (typename Graph::Object& object : Graph::objects(found[i])) {
        object.has_landmarks = false;
        object.presence = 0;
        ++found[i].landmark_runs;
        if (!has_area(object.region)) continue;
        looks_.push_back({images[i], object.region, &found[i].times});
        objects_.push_back(&object);
      }
    }
    return network_.run(looks_, [&](std::size_t i, const RegionOutputs& outputs) -> base::Result<void> {
      typename Graph::Object& object = *objects_[i];
      SLIPWAY_ASSIGN(const bool is_finite, Graph::read(signature_, outputs, object));
      object.has_landmarks = is_finite && object.presence >= presence_min_;
      return {};
    });
  }

  [[nodiscard]] runtime::Session& session() const { return network_.session(); }

 private:
  Landmarker(float presence_min, typename Graph::Signature signature, RegionNetwork network)
      : presence_min_(presence_min), signature_(std::move(signature)), network_(std::move(network)) {}

  float presence_min_;
  typename Graph::Signature signature_;
  RegionNetwork network_;
  std::vector<Look> looks_;
  std::vector<typename Graph::Object*> objects_;  // of the looks
};

}  // namespace slipway::pipelines::mediapipe
