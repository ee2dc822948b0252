#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "runtime/environment.hpp"
#include "runtime/placement.hpp"
#include "runtime/provider.hpp"
#include "tensor/tensor.hpp"

namespace slipway::runtime {

enum class GraphOptimization { kDisabled, kBasic, kExtended, kAll };

/// How a session is made. Defaults are ONNX Runtime's own, but for fallback, which is forbidden.
struct SessionOptions {
  ProviderRequest provider;
  Fallback fallback = Fallback::kForbid;
  int intra_op_threads = 0;  ///< 0: ONNX Runtime's choice (one a core)
  int inter_op_threads = 0;
  bool parallel_execution = false;  ///< --onnx_options execution_mode
  bool allow_spinning = true;
  bool spin_between_runs = true;  ///< false: between runs threads leave their cores to another session's
  bool enable_memory_pattern = true;
  bool enable_cpu_memory_arena = true;
  GraphOptimization graph_optimization = GraphOptimization::kAll;
  std::vector<std::pair<std::string, std::string>> config_entries;  ///< session config keys, e.g. ep.context_enable
  std::vector<std::filesystem::path> custom_op_libraries;  ///< shared libraries with ONNX Runtime's RegisterCustomOps
  std::filesystem::path profile_prefix;                    ///< not empty: ONNX Runtime writes a chrome trace there
  bool record_placement = true;                            ///< keep what the provider says of its nodes
  bool may_advise_fallback = true;                 ///< false: who asks could not allow it, so messages leave it out
  std::map<std::string, std::string> node_places;  ///< how messages name these nodes: "node 12 (Resize, output 'y')"
};

/// How messages name a node: "Det 'determinant'", or its place where the options tell it.
[[nodiscard]] std::string node_in_words(const std::string& name, const std::string& op_type,
                                        const SessionOptions& options);

/// A flag that stops a running inference from another thread.
class CancelFlag {
 public:
  CancelFlag();
  ~CancelFlag();
  void cancel();
  struct State;
  [[nodiscard]] State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// Stops every run of this process, now and later: for a program that is told to end. @thread any
[[nodiscard]] CancelFlag& every_run();

/// A loaded model on a provider.
/// @thread run() may be called from several threads at once; binding objects belong to one thread
class Session {
 public:
  /// Loads a `.onnx` (or `.ort`) file; external data is read beside it.
  /// @error kInvalidArgument: not a model ONNX Runtime takes; kUnavailable: the provider is not on this machine;
  ///        kFailedPrecondition: fallback is forbidden and nodes are left for the CPU (the message names them)
  [[nodiscard]] static base::Result<std::unique_ptr<Session>> load(std::shared_ptr<Environment> environment,
                                                                   const std::filesystem::path& model,
                                                                   const SessionOptions& options);
  ~Session();

  [[nodiscard]] const std::vector<tensor::TensorSpec>& inputs() const;
  [[nodiscard]] const std::vector<tensor::TensorSpec>& outputs() const;

  /// What the model's file says of itself under a key of its metadata; nothing without the key.
  [[nodiscard]] std::optional<std::string> metadata(const std::string& key) const;

  /// Runs once on tensors given in any order by name; outputs come in graph order, all of them.
  /// @error kInvalidArgument: an input is missing, unknown, or of another dtype or shape than the model's (input,
  ///        expected and found are named); kCancelled; kInternal: ONNX Runtime's own message
  [[nodiscard]] base::Result<tensor::NamedTensors> run(const tensor::NamedTensors& inputs,
                                                       CancelFlag* cancel = nullptr);

  /// Nodes per provider and partitions, as ONNX Runtime recorded them while loading (read_assignment). One before 1.24
  /// tells only by its per-node events: then it is empty until end_profiling().
  [[nodiscard]] const PlacementReport& placement() const;

  /// Warnings and errors ONNX Runtime and the provider logged while this session was made.
  [[nodiscard]] const std::vector<std::string>& log_lines() const;

  /// Ends ONNX Runtime's profiling and returns the path of the chrome trace.
  /// @error kFailedPrecondition: made without a profile prefix
  [[nodiscard]] base::Result<std::filesystem::path> end_profiling();

  struct State;
  [[nodiscard]] State& state() const { return *state_; }

 private:
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Pre-bound inputs and pre-allocated outputs: run() copies and allocates nothing.
/// @thread one object belongs to one thread
class BoundRun {
 public:
  /// Keeps references to the inputs' bytes, which must outlive it; outputs are allocated here when their shapes are
  /// static, otherwise by ONNX Runtime at each run.
  /// @param cancel  stops every run that is given no flag of its own; must outlive this object
  [[nodiscard]] static base::Result<std::unique_ptr<BoundRun>> bind(Session& session,
                                                                    const tensor::NamedTensors& inputs,
                                                                    CancelFlag* cancel = nullptr);
  ~BoundRun();
  [[nodiscard]] base::Result<void> run(CancelFlag* cancel = nullptr);
  /// Valid until the next run().
  [[nodiscard]] base::Result<const tensor::NamedTensors*> outputs();

 private:
  struct State;
  explicit BoundRun(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What an input is filled from, both ends included (of floats, the upper one is not).
struct ValueRange {
  double lowest = 0, highest = 1;
};

/// Random inputs for a signature, uniform in their ranges, dynamic dimensions taken as 1. Seeded.
/// @param ranges  one for each input; an input without one is filled from 0 to 1
[[nodiscard]] base::Result<tensor::NamedTensors> random_inputs(const std::vector<tensor::TensorSpec>& specs,
                                                               std::uint64_t seed,
                                                               const std::vector<ValueRange>& ranges = {});

}  // namespace slipway::runtime
