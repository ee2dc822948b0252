#pragma once

namespace slipway::runtime {

/// Sends what the process writes to standard output to standard error while it lives: vendors' libraries print there,
/// and standard output belongs to machine-read results.
/// @thread safe; guards of several threads nest, the last one restores
class StdoutGuard {
 public:
  StdoutGuard();
  ~StdoutGuard();
  StdoutGuard(const StdoutGuard&) = delete;
  StdoutGuard& operator=(const StdoutGuard&) = delete;
};

}  // namespace slipway::runtime
