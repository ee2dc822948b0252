#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hub/domain/options.hpp"

/// Whatever the text: it is taken, or refused in words; and what was taken names only targets that the hub makes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slipway::hub::domain;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const JobKind kind : {JobKind::kCompile, JobKind::kInference, JobKind::kQuantize, JobKind::kLink}) {
    const auto options = parse_options(kind, text);
    if (!options && options.error().message.empty()) std::abort();
    if (!options || !options->target_runtime) continue;
    if (*options->target_runtime != "onnx" && !is_qnn_target(*options->target_runtime)) std::abort();
  }
  return 0;
}
