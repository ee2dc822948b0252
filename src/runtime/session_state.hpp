#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "runtime/environment_state.hpp"
#include "runtime/session.hpp"
#include "runtime/session_log.hpp"

namespace slipway::runtime {

/// What a Session holds of ONNX Runtime. Internal to runtime/.
struct Session::State {
  std::shared_ptr<Environment> environment;
  std::filesystem::path model;
  bool has_profile = false;
  bool is_emulated = false;
  SessionLog log;  ///< before the session, which writes to it
  Ort::Session session{nullptr};
  std::vector<tensor::TensorSpec> inputs;
  std::vector<tensor::TensorSpec> outputs;
  std::map<std::string, std::string> metadata;
  PlacementReport placement;
  std::vector<std::string> log_lines;

  [[nodiscard]] std::vector<const char*> output_names() const;
};

/// The runs that a flag stops, and whether it was raised.
struct CancelFlag::State {
  std::mutex mutex;
  std::set<Ort::RunOptions*> running;
  bool is_cancelled = false;
};

/// Options of one run, stopped by a flag or by every_run() while it lives.
class CancellableRun {
 public:
  explicit CancellableRun(CancelFlag* flag);
  ~CancellableRun();
  CancellableRun(const CancellableRun&) = delete;
  CancellableRun& operator=(const CancellableRun&) = delete;

  [[nodiscard]] const Ort::RunOptions& options() const { return options_; }
  [[nodiscard]] bool is_cancelled() const;

 private:
  [[nodiscard]] std::array<CancelFlag*, 2> flags() const { return {flag_, &every_run()}; }

  Ort::RunOptions options_;
  CancelFlag* flag_;  ///< or nullptr
};

/// ONNX Runtime's options for ours; the provider is appended and its name checked.
/// @param has_exact_int8  on cores without VNNI the CPU provider adds products of int8 in 16 bits and loses what does
/// not
///                        fit (17 dB in a test's Conv) unless it is told not to; elsewhere this changes nothing
/// @error kInvalidArgument: unknown provider or a wrong request; kUnavailable: it is not on this machine
[[nodiscard]] base::Result<Ort::SessionOptions> make_session_options(Environment::State& environment,
                                                                     const SessionOptions& options, SessionLog& log,
                                                                     bool has_exact_int8);

/// The given tensors in the order of the specs.
/// @error kInvalidArgument: missing, unknown, twice, of another dtype or shape (input, expected and found are named)
[[nodiscard]] base::Result<std::vector<const tensor::Tensor*>> match_inputs(
    const std::vector<tensor::TensorSpec>& specs, const tensor::NamedTensors& inputs);

}  // namespace slipway::runtime
