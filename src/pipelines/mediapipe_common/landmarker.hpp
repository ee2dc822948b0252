#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "media/image.hpp"
#include "media/region_to_tensor.hpp"
#include "pipelines/mediapipe_common/network.hpp"
#include "pipelines/mediapipe_common/region.hpp"

namespace slipway::pipelines::mediapipe {

/// How a region of an image becomes a network's input.
struct CropRules {
  std::pair<float, float> range = {0, 1};  ///< unless the network's description says another
  media::Border border = media::Border::kReplicate;
  media::WarpRounding rounding = media::WarpRounding::kWarpPerspective;
  double shrink = 0;  ///< pixels: 1 lays the crop's corner pixels, not its edges, onto the region's corners
};

/// Recognises a landmark network by its inputs and outputs.
using ReadSignature = std::function<base::Result<NetworkSignature>(const std::vector<tensor::TensorSpec>& inputs,
                                                                   const std::vector<tensor::TensorSpec>& outputs,
                                                                   const Quantizations& quantization, int batch)>;

/// A network that sees turned regions of images and says where landmarks are.
/// @thread one object belongs to one thread
class Landmarker {
 public:
  /// A region that the network is to see.
  struct Input {
    media::ImageView image;
    Region region;                ///< with an area
    StageTimes* times = nullptr;  ///< what it takes is added here; of a run for several each gets an equal share
  };

  /// What the network said of one region; valid until its next run.
  struct Output {
    const Network& network;
    std::size_t entry;
    const media::Affine& to_image;  ///< from pixels of the crop
    double scale;                   ///< pixels of the image a pixel of the crop
    int size;                       ///< pixels of a side of the crop

    /// @error as Network::values
    [[nodiscard]] base::Result<RealValues> values(std::size_t output, std::size_t count) const {
      return network.values(output, entry, count);
    }
  };

  /// @error as runtime::Session::load, `read`, Network::bind and media::RegionToTensor::create
  [[nodiscard]] static base::Result<Landmarker> load(std::shared_ptr<runtime::Environment> environment,
                                                     const NetworkFile& file, const runtime::SessionOptions& options,
                                                     int batch, const CropRules& rules, const ReadSignature& read);

  /// Runs the network on regions, as many at once as it takes. Allocates nothing but what the provider does.
  /// @param read  Result<void>(std::size_t region, const Output&), for each in order
  template <typename Read>
  [[nodiscard]] base::Result<void> run(std::span<const Input> inputs, const Read& read) {
    return network_.run(
        inputs.size(), [&](std::size_t i) -> StageTimes& { return *inputs[i].times; },
        [&](std::size_t i, std::size_t entry, std::span<std::byte> bytes) {
          maps_[entry] = crop_map(inputs[i].region, span_, span_);
          return warp_.convert(inputs[i].image, maps_[entry], bytes);
        },
        [&](std::size_t i, std::size_t entry) {
          return read(i, Output{network_, entry, maps_[entry], inputs[i].region.width / span_, size_});
        });
  }

  [[nodiscard]] runtime::Session& session() const { return network_.session(); }

 private:
  Landmarker(Network network, media::RegionToTensor warp, int size, double span)
      : network_(std::move(network)), warp_(std::move(warp)), size_(size), span_(span), maps_(network_.batch()) {}

  Network network_;
  media::RegionToTensor warp_;
  int size_;
  double span_;
  std::vector<media::Affine> maps_;  // of the last run
};

}  // namespace slipway::pipelines::mediapipe
