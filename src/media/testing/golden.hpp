#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "media/image.hpp"
#include "tensor/tensor.hpp"

// What tests of images and sound share.
namespace slipway::media::testing {

/// A golden's array of uint8 [H, W, 3] as an image.
inline ImageView view_of(const tensor::Tensor& pixels) {
  const auto width = static_cast<int>(pixels.shape()[1]), height = static_cast<int>(pixels.shape()[0]);
  return {pixels.values<std::uint8_t>().data(), width, height, std::ptrdiff_t{3} * width};
}

/// Noise from the generator of python/reference/demucs/spectrogram.py.
inline std::vector<float> lcg(std::uint32_t seed, std::size_t count) {
  std::vector<float> values(count);
  for (float& value : values) {
    seed = seed * 1664525U + 1013904223U;
    value = (std::bit_cast<float>(0x3f800000U | (seed >> 9U)) - 1.0F) * 2.0F - 1.0F;
  }
  return values;
}

}  // namespace slipway::media::testing
