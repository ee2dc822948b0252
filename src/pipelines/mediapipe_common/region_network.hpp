#pragma once

#include <memory>

#include "media/image.hpp"
#include "media/region_to_tensor.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/mediapipe_common/network.hpp"
#include "pipelines/mediapipe_common/region.hpp"

namespace slipway::pipelines::mediapipe {

/// How a region of a picture becomes a network's input.
struct CropRules {
  std::pair<float, float> range = {0, 1};  ///< unless the network's description says another
  media::Border border = media::Border::kReplicate;
  media::WarpRounding rounding = media::WarpRounding::kWarpPerspective;
  double shrink = 0;  ///< pixels: 1 lays the crop's corner pixels, not its edges, onto the region's corners
};

/// A network that sees one turned region of a picture.
/// @thread one object belongs to one thread
class RegionNetwork {
 public:
  /// @error as Network::bind and media::RegionToTensor::create
  [[nodiscard]] static base::Result<RegionNetwork> create(std::unique_ptr<runtime::Session> session,
                                                          const PictureSpec& input, const NetworkFile& file,
                                                          const CropRules& rules);

  /// Runs the network on a region; adds to `times.pre_us` and `times.inference_us`; allocates nothing but what the
  /// provider does.
  /// @return the outputs, valid until the next run; null when the region has no area or is not finite
  [[nodiscard]] base::Result<const tensor::NamedTensors*> run(media::ImageView image, const Region& region,
                                                              StageTimes& times);

  /// Of the last run: from pixels of the crop to the picture.
  [[nodiscard]] const media::Affine& to_picture() const { return to_picture_; }
  /// Of the last run: pixels of the picture a pixel of the crop.
  [[nodiscard]] double scale() const { return scale_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] runtime::Session& session() const { return *network_.session; }

 private:
  RegionNetwork(Network network, media::RegionToTensor warp, int size, double span)
      : network_(std::move(network)), warp_(std::move(warp)), size_(size), span_(span) {}

  Network network_;
  media::RegionToTensor warp_;
  int size_;
  double span_;
  media::Affine to_picture_;
  double scale_ = 1;
};

}  // namespace slipway::pipelines::mediapipe
