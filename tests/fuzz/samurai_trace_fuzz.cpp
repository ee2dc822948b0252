#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "pipelines/samurai/trace.hpp"

/// A trace is either refused in words or gives decisions for all of its frames, with numbers that JSON can hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace samurai = slipway::pipelines::samurai;
  const auto frames = samurai::read_trace({reinterpret_cast<const char*>(data), size}, "trace");
  if (!frames) {
    if (frames.error().message.empty()) __builtin_trap();
    return 0;
  }
  const auto decisions = samurai::replay(*frames);
  if (decisions.size() != frames->size()) __builtin_trap();
  for (const auto& decision : decisions) {
    if (decision.mean && samurai::json_of(decision)["mean"].dump().find("null") != std::string::npos) __builtin_trap();
  }
  return 0;
}
