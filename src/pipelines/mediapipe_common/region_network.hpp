#pragma once

#include <memory>
#include <span>
#include <vector>

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

/// A region that a network is to see.
struct Look {
  media::ImageView image;
  Region region;                ///< with an area
  StageTimes* times = nullptr;  ///< what it takes is added here; of a run for several each gets an equal share
};

/// What a network said of one region; valid until its next run.
class RegionOutputs {
 public:
  RegionOutputs(const Network& network, std::size_t entry, const media::Affine& to_picture, double scale, int size)
      : network_(network), entry_(entry), to_picture_(to_picture), scale_(scale), size_(size) {}

  /// @error as Network::values
  [[nodiscard]] base::Result<RealValues> values(std::size_t output, std::size_t count) const {
    return network_.values(output, entry_, count);
  }
  /// From pixels of the crop to the picture.
  [[nodiscard]] const media::Affine& to_picture() const { return to_picture_; }
  /// Pixels of the picture a pixel of the crop.
  [[nodiscard]] double scale() const { return scale_; }
  /// Pixels of a side of the crop.
  [[nodiscard]] int size() const { return size_; }

 private:
  const Network& network_;
  std::size_t entry_;
  const media::Affine& to_picture_;
  double scale_;
  int size_;
};

/// A network that sees turned regions of pictures.
/// @thread one object belongs to one thread
class RegionNetwork {
 public:
  /// @error as Network::bind and media::RegionToTensor::create
  [[nodiscard]] static base::Result<RegionNetwork> create(std::unique_ptr<runtime::Session> session,
                                                          const PictureTensor& input,
                                                          const std::vector<tensor::TensorSpec>& outputs,
                                                          const NetworkFile& file, const CropRules& rules);

  /// Runs the network on regions, as many at once as it takes. Allocates nothing but what the provider does.
  /// @param read  Result<void>(std::size_t look, const RegionOutputs&), for each in order
  template <typename Read>
  [[nodiscard]] base::Result<void> run(std::span<const Look> looks, const Read& read);

  [[nodiscard]] runtime::Session& session() const { return network_.session(); }

 private:
  RegionNetwork(Network network, media::RegionToTensor warp, int size, double span)
      : network_(std::move(network)), warp_(std::move(warp)), size_(size), span_(span), maps_(network_.batch()) {}

  /// Runs the first of these regions; returns how many.
  [[nodiscard]] base::Result<std::size_t> run_some(std::span<const Look> looks);

  Network network_;
  media::RegionToTensor warp_;
  int size_;
  double span_;
  std::vector<media::Affine> maps_;  // of the last run
};

template <typename Read>
base::Result<void> RegionNetwork::run(std::span<const Look> looks, const Read& read) {
  std::size_t first = 0;
  while (first < looks.size()) {
    SLIPWAY_ASSIGN(const std::size_t count, run_some(looks.subspan(first)));
    Stopwatch watch;
    for (std::size_t i = 0; i < count; ++i, ++first) {
      const Look& look = looks[first];
      SLIPWAY_TRY(read(first, RegionOutputs(network_, i, maps_[i], look.region.width / span_, size_)));
      look.times->post_us += watch.lap_us();
    }
  }
  return {};
}

}  // namespace slipway::pipelines::mediapipe
