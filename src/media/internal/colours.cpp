#include "media/internal/colours.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace slipway::media::internal {
namespace {

/// From here on an image that does not say its matrix is taken as high definition.
constexpr int kHighDefinitionRows = 720;

AVColorSpace usual_matrix(int height) {
  return height >= kHighDefinitionRows ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

/// From 16 … 235 to 0 … 255.
void stretch_range(Image& image) {
  constexpr int kBlack = 16, kSteps = 219;
  const auto count = static_cast<std::size_t>(image.stride_bytes()) * static_cast<std::size_t>(image.height());
  for (std::uint8_t& value : std::span(image.row(0), count)) {
    value = static_cast<std::uint8_t>(std::clamp(((value - kBlack) * 255 + kSteps / 2) / kSteps, 0, 255));
  }
}

/// A number of H.273 as the file has it, which may be none that libav knows: then nothing is said.
template <typename Enumeration>
int stated(const Enumeration& value, int count) {
  static_assert(sizeof(Enumeration) == sizeof(int));
  constexpr int kUnspecified = 2;
  int number = 0;
  std::memcpy(&number, &value, sizeof number);  // as its own type it may not be read
  return number >= 0 && number < count ? number : kUnspecified;
}

}  // namespace

int stated_matrix(const AVFrame& frame) {
  return stated(frame.colorspace, AVCOL_SPC_NB);
}

VideoColours colours_of(const AVFrame& frame) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
  const bool is_rgb = description != nullptr && (description->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  VideoColours colours;
  colours.primaries = stated(frame.color_primaries, AVCOL_PRI_NB);
  colours.transfer = stated(frame.color_trc, AVCOL_TRC_NB);
  const int matrix = stated_matrix(frame);
  colours.matrix = matrix == AVCOL_SPC_UNSPECIFIED || is_rgb ? usual_matrix(frame.height) : matrix;
  // Pixels of RGB say nothing of how they are best written.
  colours.is_full_range = !is_rgb && (frame.color_range == AVCOL_RANGE_JPEG || format == AV_PIX_FMT_YUVJ420P ||
                                      format == AV_PIX_FMT_YUVJ422P || format == AV_PIX_FMT_YUVJ444P ||
                                      format == AV_PIX_FMT_YUVJ440P || format == AV_PIX_FMT_YUVJ411P);
  return colours;
}

const int* coefficients_of(int matrix) {
  switch (matrix) {
    case AVCOL_SPC_BT709:
      return sws_getCoefficients(SWS_CS_ITU709);
    case AVCOL_SPC_FCC:
      return sws_getCoefficients(SWS_CS_FCC);
    case AVCOL_SPC_SMPTE240M:
      return sws_getCoefficients(SWS_CS_SMPTE240M);
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return sws_getCoefficients(SWS_CS_BT2020);
    default:
      return sws_getCoefficients(SWS_CS_ITU601);
  }
}

void scale_to_rgb(SwsContext* scaler, const AVFrame& frame, const VideoColours& colours, Image& image) {
  sws_setColorspaceDetails(scaler, coefficients_of(colours.matrix), colours.is_full_range ? 1 : 0,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
  std::uint8_t* const to[4] = {image.row(0), nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(image.stride_bytes()), 0, 0, 0};
  sws_scale(scaler, frame.data, frame.linesize, 0, frame.height, to, strides);
}

base::Result<void> to_rgb(SwsContext*& scaler, const AVFrame& frame, const VideoColours& colours, Image& image) {
  SLIPWAY_TRY(image.resize(frame.width, frame.height));
  const auto format = static_cast<AVPixelFormat>(frame.format);
  scaler = sws_getCachedContext(scaler, frame.width, frame.height, format, frame.width, frame.height, AV_PIX_FMT_RGB24,
                                SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr, nullptr);
  if (scaler == nullptr) {
    const char* name = av_get_pix_fmt_name(format);
    return base::fail(base::Code::kUnimplemented, "{}x{} pixels of the kind {} are not read", frame.width, frame.height,
                      name != nullptr ? name : "unknown");
  }
  scale_to_rgb(scaler, frame, colours, image);
  // swscale takes every grey image as one of full range.
  if (format == AV_PIX_FMT_GRAY8 && frame.color_range == AVCOL_RANGE_MPEG) stretch_range(image);
  return {};
}

AVColorSpace written_matrix(int matrix, int height) {
  switch (matrix) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_BT2020_NCL:
      return static_cast<AVColorSpace>(matrix);
    default:
      return usual_matrix(height);
  }
}

}  // namespace slipway::media::internal
