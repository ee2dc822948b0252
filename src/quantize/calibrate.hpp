#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantize/options.hpp"
#include "quantize/statistics.hpp"

#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/value_type.hpp"
#include "runtime/environment.hpp"

namespace slipway::quantize {

/// A value to be watched.
struct Watched {
  std::string name;
  compile::onnx_graph::ValueType type;           ///< as far as it is known; says how much memory a run needs
  std::optional<std::size_t> channel_axis = {};  ///< along which means of channels are wanted
};

/// What calibration saw.
struct Calibration {
  std::map<std::string, TensorStatistics> tensors;  ///< those of float32
  std::map<std::string, ChannelMeans> channels;     ///< where their means were wanted
  std::int64_t samples = 0;                         ///< that were used
  /// Samples that were left out because an input holds NaN or infinities: "sample 3: 12 in 'image'".
  std::vector<std::string> left_out;
};

/// What speaks against using a sample, NaN or infinities: "12 in 'image'". Empty: nothing.
[[nodiscard]] std::string objection_to(const tensor::NamedTensors& sample);

/// Runs the float model on the samples and gathers statistics of the watched values, inner ones included. What a run
/// gives is bounded (kMostWatchedBytes): values beyond that are watched in further passes over the samples.
/// @error kInvalidArgument: no samples, one that does not fit the model (input, expected and found are named), or none
///        without NaN and infinities; of the reading and the running
[[nodiscard]] base::Result<Calibration> calibrate(const std::shared_ptr<runtime::Environment>& environment,
                                                  const compile::onnx_graph::Model& model,
                                                  const std::vector<Watched>& watched, const Samples& samples,
                                                  const Options& options, const Progress& progress);
inline constexpr std::uint64_t kMostWatchedBytes = 192U << 20;

}  // namespace slipway::quantize
