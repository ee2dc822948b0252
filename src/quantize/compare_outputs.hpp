#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "quantize/options.hpp"

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"
#include "runtime/environment.hpp"

namespace slipway::quantize {

/// How an output of the quantised model stands against the same output of the float model, over all samples.
struct OutputComparison {
  std::string output;
  double sqnr_db = 0;  ///< 10 log10(signal / error), both as sums of squares; 999 when equal
  double psnr_db = 0;  ///< 10 log10(width of the float output's range² / mean squared error); 999 when equal
  double cosine = 1;   ///< of both as vectors
  double largest_difference = 0;
  double peak = 0;                   ///< largest magnitude of the float output
  std::uint64_t elements = 0;        ///< that were compared
  std::uint64_t equal = 0;           ///< of these
  std::uint64_t not_comparable = 0;  ///< NaN or infinite on one side
  std::string alarm = {};            ///< why the output is worthless; empty: it is not
};

struct ModelComparison {
  std::vector<OutputComparison> outputs;
  std::int64_t samples = 0;  ///< that both were run on
  [[nodiscard]] bool has_alarm() const;
};

/// Under this signal-to-noise ratio an output is said to be worthless, unless another limit is asked for.
inline constexpr double kLowestSqnrDb = 10;

/// Runs both models on the samples, those with NaN or infinities aside, on the CPU with exact sums of 8-bit products.
/// Integer outputs of a model whose outputs are quantised are compared as the real numbers that their encoding says.
/// @param summary  of the quantised model, which says the encodings of inputs and outputs that are integers
/// @error as Session::load and Session::run; kInvalidArgument: the outputs of the models differ in name or shape
[[nodiscard]] base::Result<ModelComparison> compare_outputs(const std::shared_ptr<runtime::Environment>& environment,
                                                            const std::filesystem::path& source,
                                                            const std::filesystem::path& quantized,
                                                            const compile::onnx_graph::ModelSummary& summary,
                                                            const Samples& samples, std::int64_t most_samples,
                                                            double lowest_sqnr_db, const Progress& progress);

}  // namespace slipway::quantize
