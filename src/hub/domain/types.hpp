#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "tensor/shape.hpp"

/// What the hub knows, as plain structs. Codecs translate them to the wire (hub/protocol), to rows (hub/storage) and to
/// the documents of a job folder (document.hpp). Enumerators carry the wire's numbers so that a codec is a checked
/// cast.
namespace slipway::hub::domain {

enum class ModelType {
  kTorchScript = 1,
  kTflite = 4,
  kOnnx = 6,
  kQnnContextBinary = 11,
  kAimetOnnx = 12,
  kQnnDlc = 15,
  kTorchExportedProgram = 16,
};

/// The number of a kind of jobs: on the wire (JobType), in rows and in documents. Each kind says its own (kinds/).
enum class JobKind : std::uint32_t {};

/// Where a job stands. The two that wait and end belong to every job; a job runs in those that its kind names, and no
/// other state is one (job_state.hpp).
enum class JobState {
  kCreated = 1,
  kDone = 10,
  kFailed = 30,
  kOptimizingModel = 50,
  kMeasuringPerformance = 70,
  kRunningInference = 80,
  kQuantizingModel = 90,
  kLinkingModels = 100,
};

enum class FailureType {
  kUnspecified = 0,
  kUnsupported = 3,
  kInternal = 1000,
  kRuntimeUnknown = 2000,
  kRuntimeCrash = 2001,
  kOutOfDisk = 2002,
  kFailedDependency = 2003,
  kOutOfMemory = 2004,
  kQnnToolError = 3050,
  kTimeout = 12000,
  kInvalidInputs = 13000,
  kInvalidArgument = 13001,
  kModelCorrupt = 13002,
  kModelInvalid = 13003,
};

enum class ArtifactType { kDeviceLog = 1, kHubLog = 5, kProfileTrace = 6, kNetronArchive = 7, kQhasSummary = 8 };

/// Bytes in the blob store, named by what they are.
struct Blob {
  std::string sha256;  ///< 64 hexadecimal digits; empty: none
  std::uint64_t size_bytes = 0;
  friend bool operator==(const Blob&, const Blob&) = default;
};

enum class Role { kMember, kAdmin };
struct User {
  std::string id;
  std::string email;
  Role role = Role::kMember;
  base::Time created;
};

enum class Scope { kUser, kAgent };
/// A token as it is kept: only its hash. The text is shown once, when it is made.
struct Token {
  std::string id;  ///< shown in lists and used to revoke; not secret
  std::string user_id;
  std::string name;
  std::string sha256;
  Scope scope = Scope::kUser;
  base::Time created;
  std::optional<base::Time> last_used;
  std::optional<base::Time> revoked;
};

/// The NPU of a device. htp_arch 0: no HTP that the compiler knows.
struct Chip {
  std::string name;  ///< "sm8650"
  int soc_model = 0;
  int htp_arch = 0;  ///< 73, 75 …; below 68 the chip has a Hexagon without an HTP
  bool supports_fp16 = false;
  bool supports_weight_sharing = false;
  [[nodiscard]] bool has_htp() const { return htp_arch >= 68; }
};

/// What stands behind a device's name.
enum class DevicePresence {
  kAttached,   ///< an agent offers it: times are measured on it
  kCatalogue,  ///< known by its chip: compile is real, inference runs on the HTP emulator, nothing is measured
};

/// What of a device runs a graph.
enum class ExecutionTarget {
  kCpu = 1,
  kHtp = 2,          ///< the NPU of an attached device
  kHtpEmulator = 3,  ///< Qualcomm's emulation of an HTP on the agent's CPU; never of an attached device
};

struct Device {
  std::string name;
  std::string os;                       ///< version
  std::vector<std::string> attributes;  ///< "key:value", one colon each
  std::string soc_description;
  Chip chip;
  DevicePresence presence = DevicePresence::kCatalogue;
  std::string agent_id;                            ///< attached devices
  std::vector<ExecutionTarget> execution_targets;  ///< attached devices: what the agent offers of it; empty: its CPU
};

struct Framework {
  std::string name;         ///< "QAIRT", "ONNX Runtime"
  std::string api_version;  ///< "2.50"
  std::vector<std::string> api_tags;
  std::string full_version;
};

/// A tensor of a model as the hub shows it. Types outside the wire's nine are left out there, never sent as zero.
struct ModelTensor {
  tensor::TensorSpec spec;
  std::string graph_name;  ///< only for models with several graphs
};

/// One entry of a dataset.
struct DatasetEntry {
  std::string name;
  tensor::Dtype dtype = tensor::Dtype::kFloat32;
  std::vector<tensor::Shape> shapes;  ///< one a sample; a single element when all samples agree
  std::int64_t sample_count = 0;
};

/// What an inspection, a job in the sandbox, found in an upload. The server keeps it and never opens the bytes itself.
struct Inspection {
  std::string format;  ///< "onnx", "onnx directory", "torchscript", "torch exported program", "tflite", "hdf5 dataset",
                       ///< "qnn context binary", "qnn dlc"
  std::string error;   ///< not empty: the upload cannot be used, in words for the user
  std::vector<ModelTensor> inputs, outputs;  ///< empty where the format does not say
  std::vector<DatasetEntry> entries;         ///< datasets
  std::map<std::string, std::string> facts;  ///< opset, producer, parameters …, for the page
};

enum class UploadState { kWaiting, kComplete };

/// Bytes kept with a model that its format cannot give back.
struct Companion {
  std::string filename;  ///< as the job's process named it: ".onnx", or ".onnx.zip" for a folder
  Blob content;
};

struct Model {
  std::string id;
  std::string owner_id;
  std::string name;
  base::Time created;
  ModelType type = ModelType::kOnnx;
  bool is_directory = false;
  UploadState upload = UploadState::kWaiting;
  Blob content;
  std::map<std::string, Companion> companions;  ///< "source": prepared ONNX; "wrapper": ONNX that loads the binary
  std::string producer_job_id;
  std::optional<Inspection> inspection;
  std::map<std::uint32_t, std::string> metadata;  ///< ModelMetadataKey number -> text
  std::string project_id;
};

struct Dataset {
  std::string id;
  std::string owner_id;
  std::string name;
  base::Time created;
  std::optional<base::Time> expires;  ///< nothing: permanent
  UploadState upload = UploadState::kWaiting;
  Blob content;
  std::string producer_job_id;
  std::optional<Inspection> inspection;
  std::string project_id;
};

/// An input spec as the client sends it.
using InputSpecs = std::vector<tensor::TensorSpec>;

struct Artifact {
  ArtifactType type = ArtifactType::kHubLog;
  std::string filename;  ///< no dot except the extension's
  Blob content;
};

}  // namespace slipway::hub::domain
