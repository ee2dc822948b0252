#pragma once

#include <cstddef>

/// Where following the code of an archive ends in an error: it comes from strangers.
namespace slipway::convert::torch_script::internal {

/// The largest models known take some ten thousand steps; code that calls itself twice at each level would never end.
inline constexpr std::size_t kMostSteps = 2'000'000;
/// Each takes a hundred bytes. A model of 10 000 tensors has a million.
inline constexpr std::size_t kMostObjects = 4'000'000;
/// Each level of nested code costs some frames of the machine's stack.
inline constexpr int kDeepest = 900;

/// Counts a level for as long as it lives.
class Deeper {
 public:
  explicit Deeper(int& depth) : depth_(depth) { ++depth_; }
  ~Deeper() { --depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  int& depth_;
};

}  // namespace slipway::convert::torch_script::internal
