#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "runtime/provider.hpp"

namespace slipway::cli {

/// Where a detector and a segmenter run, in one process.
struct TwoProviders {
  std::string detector = runtime::ProviderRequest().name;
  std::string segmenter = detector;

  /// Reads "cpu", or "detector=qnn,segmenter=cpu"; who is not named runs on the CPU.
  /// @param has_segmenter  false: the segmenter's provider does not count
  /// @error kInvalidArgument: no such provider or network; two that need different builds of ONNX Runtime
  [[nodiscard]] static base::Result<TwoProviders> of(std::string_view text, bool has_segmenter);

  /// The provider whose build of ONNX Runtime is opened; every build has the CPU's.
  [[nodiscard]] std::string_view of_build() const;
};

}  // namespace slipway::cli
