#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>

#include "base/error.hpp"
#include "media/fit.hpp"
#include "media/image.hpp"
#include "tensor/shape.hpp"

namespace slipway::media {

/// Which values of an RGB pixel a network sees.
enum class Channels {
  kRgb,   ///< all three
  kLuma,  ///< one: 0.2125 R + 0.7154 G + 0.0721 B
  kBlue,  ///< one: B
};

/// The order of an image's axes in a tensor. With one channel both are the same bytes.
enum class Layout { kNchw, kNhwc };

/// What a network's image input looks like.
struct ImageInput {
  int width = 0;
  int height = 0;
  Channels channels = Channels::kRgb;
  Layout layout = Layout::kNchw;
  /// float32, float16, uint8, int8, uint16 or int16.
  tensor::Dtype dtype = tensor::Dtype::kFloat32;
  /// Needed when the dtype is an integer: stored = saturate(round_to_even(real / scale) + zero_point).
  std::optional<tensor::Quantization> quantization = std::nullopt;
  /// real = pixel · gain + bias with pixel in 0 … 255. The default gives 0 … 1.
  float gain = 1.0F / 255.0F;
  float bias = 0.0F;
  /// kRgb only, by channel, after gain and bias: (real − mean) / deviation. What a network wants whose graph does not
  /// normalise by itself.
  std::array<float, 3> mean = {0, 0, 0};
  std::array<float, 3> deviation = {1, 1, 1};
  /// The grey of what a letterbox leaves empty, as a pixel value.
  std::uint8_t padding = 0;
};

/// Mean and deviation of ImageNet's images in 0 … 1, R G B.
inline constexpr std::array<float, 3> kImageNetMean = {0.485F, 0.456F, 0.406F};
inline constexpr std::array<float, 3> kImageNetDeviation = {0.229F, 0.224F, 0.225F};

/// Turns images of any size into a network's input: fit, channel rule, value range, quantisation and axes in one pass
/// over the image.
///
/// Resampling is bilinear without corner alignment and without antialias: output column x reads at
/// (x + 0.5) · width / inner_width − 0.5, not below 0.
/// @thread one object belongs to one thread
/// @cost after the first image of a size, no memory is allocated for further ones of that size
/// @source python/reference/face_det_lite/preprocess.py::image_to_tensor
/// @golden tests/golden/face_det_lite/preprocess.npz, made with ONNX Runtime's Resize, tolerance 1e-5 absolute
class ImageToTensor {
 public:
  /// @error kInvalidArgument: sides below 1, a dtype that is not listed above, an integer dtype without quantisation,
  ///        or a scale or deviation that is not a positive number
  [[nodiscard]] static base::Result<ImageToTensor> create(const ImageInput& input, Fit fit);
  ~ImageToTensor();
  ImageToTensor(ImageToTensor&&) noexcept;
  ImageToTensor& operator=(ImageToTensor&&) noexcept;

  /// Bytes of one image in the tensor.
  [[nodiscard]] std::size_t size_bytes() const;

  /// Writes one image.
  /// @param out  size_bytes() bytes, e.g. one entry of a batch
  /// @return     where the image lies
  /// @error kInvalidArgument: an empty image, or `out` of another size
  [[nodiscard]] base::Result<Placement> convert(ImageView image, std::span<std::byte> out);

 private:
  struct State;
  explicit ImageToTensor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::media
