#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "pipelines/common/real_values.hpp"
#include "pipelines/mediapipe_face/signature.hpp"
#include "runtime/session.hpp"

namespace slipway::pipelines::mediapipe_face {

/// A network ready to run: its session, the tensor it reads, and where its outputs lie.
struct Network {
  std::unique_ptr<runtime::Session> session;
  tensor::NamedTensors inputs;
  std::unique_ptr<runtime::BoundRun> bound;  // holds references to inputs

  /// @param input  with a static shape
  /// @error as runtime::BoundRun::bind
  [[nodiscard]] static base::Result<Network> bind(std::unique_ptr<runtime::Session> session,
                                                  const tensor::TensorSpec& input);

  /// @return the outputs, valid until the next run
  [[nodiscard]] base::Result<const tensor::NamedTensors*> run();
};

/// Where a network comes from.
struct NetworkFile {
  std::filesystem::path path;
  std::optional<std::pair<float, float>> input_range;  ///< real values of pixels 0 and 255, when the description says
};

/// How pictures are to be written for a network that sees 0 … 255 as low … high.
[[nodiscard]] media::PictureInput picture_input_of(const PictureSpec& spec, std::pair<float, float> range);

/// An output's real numbers.
/// @error kInvalidArgument: another dtype or number of values than the signature's
[[nodiscard]] base::Result<RealValues> read_output(const tensor::NamedTensors& outputs,
                                                   const std::vector<tensor::TensorSpec>& specs, std::size_t index,
                                                   std::size_t values);

}  // namespace slipway::pipelines::mediapipe_face
