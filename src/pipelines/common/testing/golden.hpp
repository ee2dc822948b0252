#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "media/image.hpp"
#include "runtime/session.hpp"
#include "tensor/tensor.hpp"

// What the tests of pipelines share.
namespace slipway::pipelines::testing {

/// One for all tests of a program, as a process has one.
inline std::shared_ptr<runtime::Environment> environment() {
  static const std::shared_ptr<runtime::Environment> kOpened = [] {
    const auto paths = runtime::locate_libraries();
    SLIPWAY_CHECK(paths.has_value(), "ONNX Runtime was set up");
    return std::move(runtime::Environment::open(*paths)).value();
  }();
  return kOpened;
}

inline const tensor::Tensor& named(const tensor::NamedTensors& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &tensor::NamedTensor::name);
  SLIPWAY_CHECK(found != tensors.end(), "the golden has this array");
  return found->tensor;
}

/// A golden's array of uint8 [H, W, 3] as an image.
inline media::ImageView view_of(const tensor::Tensor& pixels) {
  const auto width = static_cast<int>(pixels.shape()[1]), height = static_cast<int>(pixels.shape()[0]);
  return {pixels.values<std::uint8_t>().data(), width, height, std::ptrdiff_t{3} * width};
}

}  // namespace slipway::pipelines::testing
