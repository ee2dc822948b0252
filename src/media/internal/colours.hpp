#pragma once

#include "media/internal/libav.hpp"
#include "media/video_file.hpp"

namespace slipway::media::internal {

/// The matrix that a frame names; AVCOL_SPC_UNSPECIFIED: none, or one that does not exist.
[[nodiscard]] int stated_matrix(const AVFrame& frame);

/// What a frame says of its colours, and its height where it says nothing of its matrix: BT.709 from 720 rows on,
/// BT.601 below, as players do.
[[nodiscard]] VideoColours colours_of(const AVFrame& frame);

/// swscale's row of coefficients for a matrix.
[[nodiscard]] const int* coefficients_of(int matrix);

/// The matrix that is written for one that was read: its own, or BT.709's or BT.601's where coefficients_of() has none.
[[nodiscard]] AVColorSpace written_matrix(int matrix, int height);

/// Lets a scaler that was made for the frame's and the image's size write the image.
void scale_to_rgb(SwsContext* scaler, const AVFrame& frame, const VideoColours& colours, Image& image);

/// A decoded frame as RGB.
/// @param scaler  made or used again; belongs to the caller
/// @error kUnimplemented: pixels of a kind that swscale does not read; kResourceExhausted
[[nodiscard]] base::Result<void> to_rgb(SwsContext*& scaler, const AVFrame& frame, const VideoColours& colours,
                                        Image& image);

}  // namespace slipway::media::internal
