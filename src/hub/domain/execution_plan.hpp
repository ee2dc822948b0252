#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/options.hpp"
#include "hub/domain/types.hpp"

/// What may run where. Decided here and nowhere else: a job is judged by these rules when it is submitted and carries
/// its plan in its spec; whoever executes it obeys.
namespace slipway::hub::domain {

/// What a compile job makes.
enum class CompileTarget { kOnnx, kPrecompiledQnnOnnx, kQnnContextBinary, kQnnDlc };

/// Whose kernels run the graph.
enum class Provider { kCpu, kQnn };

/// What the figures of a run are worth: of an emulated one there are none.
enum class Figures { kMeasured, kEmulated };

/// What is done to the model before it can be loaded.
enum class Conversion {
  kNone,
  kWrapBinary,     ///< a context binary is laid beside the ONNX wrapper that was kept with it
  kCompileSource,  ///< a DLC cannot be read back: the source graph that was kept with it is compiled once more
  kConvertTorch,   ///< compile jobs: an archive of PyTorch is converted to ONNX
  kEmbedBinary,    ///< compile jobs: a context binary goes into an ONNX model as it is, and nothing is compiled
};

struct ExecutionPlan {
  CompileTarget target = CompileTarget::kOnnx;      ///< compile jobs
  ExecutionTarget runs_on = ExecutionTarget::kCpu;  ///< for compile jobs: where the result is compared
  Provider provider = Provider::kCpu;
  bool fallback_allowed = false;  ///< nodes that the provider leaves may run on the CPU
  Figures figures = Figures::kMeasured;
  Conversion converts_first = Conversion::kNone;
  friend bool operator==(const ExecutionPlan&, const ExecutionPlan&) = default;
};

/// Where a model that a job made came from.
struct Origin {
  std::string job_id;
  std::string source_model_id;
  CompileTarget target = CompileTarget::kOnnx;
  std::optional<Device> device;  ///< that it was made for
};

/// A model that a job takes.
struct SourceModel {
  Model model;
  std::optional<Origin> origin;  ///< nothing: uploaded
  bool will_never_come = false;  ///< the job that was to make it has failed
};

/// What is known about a job, its ids looked up.
struct JobFacts {
  JobOptions options;
  std::vector<SourceModel> models;
  std::optional<Dataset> dataset;
  std::vector<Device> devices;        ///< as the hub knows them
  std::vector<Framework> frameworks;  ///< of the agents that are there
  std::vector<std::string> offers;    ///< what these agents offer, in the words of needs_of()
};

/// Where a compiled model is made and compared. The target "onnx" asks nothing of the device.
/// @error kInvalidArgument: a device without an HTP, devices of different chips, an option that rules the NPU out
[[nodiscard]] base::Result<ExecutionPlan> plan_compile(const JobFacts& facts);

/// Where a model is run: on the HTP or else the CPU of an attached device, as its agent offers them, or on the emulator
/// of a catalogue device's HTP.
/// @error kInvalidArgument, kUnimplemented: no such place, or the model was made for another; in words for the user
[[nodiscard]] base::Result<ExecutionPlan> plan_run(const JobFacts& facts);

/// What an agent must offer to execute a plan (Job::needs).
[[nodiscard]] std::string needs_of(const ExecutionPlan& plan, const Device& device);
/// Every need that an agent meets. Qualcomm's compiler and emulator are offered by agents that emulate the HTP: one on
/// a board runs what was made for that board's chip alone.
[[nodiscard]] std::vector<std::string> offers_of(const std::vector<Device>& devices,
                                                 const std::vector<Framework>& frameworks);

/// @error kFailedPrecondition: no agent that is there offers what the plan needs, and none will by waiting
[[nodiscard]] base::Result<void> check_offered(const ExecutionPlan& plan, const JobFacts& facts);

/// "onnx", "qnn_dlc" …: what users and files call a target.
[[nodiscard]] std::string_view target_name(CompileTarget target);
/// The target that the options name; kOnnx when they name none.
[[nodiscard]] CompileTarget target_of(const JobOptions& options);
[[nodiscard]] ModelType model_type_of(CompileTarget target);
/// Whether Qualcomm's compiler makes it, for one chip: all but kOnnx.
[[nodiscard]] bool is_qnn_target(CompileTarget target);

}  // namespace slipway::hub::domain
