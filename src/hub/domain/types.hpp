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

enum class JobKind { kProfile = 1, kInference = 2, kCompile = 3, kQuantize = 4, kLink = 5, kInspect = 100 };

enum class JobState {
  kCreated = 1,
  kDone = 10,
  kFailed = 30,
  kOptimizingModel = 50,
  kProvisioningDevice = 60,
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

struct Device {
  std::string name;
  std::string os;                       ///< version
  std::vector<std::string> attributes;  ///< "key:value", one colon each
  std::string soc_description;
  Chip chip;
  DevicePresence presence = DevicePresence::kCatalogue;
  std::string agent_id;  ///< attached devices
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

/// What the sandboxed helper found in an upload. The server keeps it and never opens the bytes itself.
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

struct MemoryRange {
  std::uint64_t lower_bytes = 0, upper_bytes = 0;
};
struct PhaseProfile {
  std::vector<std::uint64_t> times_us;  ///< empty: not measured
  MemoryRange increase, peak;
};
struct LayerProfile {
  std::string name, op_type, provider;
  std::string unit;                      ///< "CPU", "GPU", "NPU"
  std::optional<std::uint64_t> time_us;  ///< lowest; absent where nothing was measured on a device
};
/// The evidence of a profile or inference run. A run that did not happen on a device carries no times.
struct ProfileEvidence {
  std::string machine;  ///< where it ran, e.g. "AMD EPYC, 2 threads"
  std::string provider;
  bool is_emulated = false;
  PhaseProfile compile, cold_load, warm_load, inference;
  std::uint64_t inference_median_us = 0;
  std::vector<LayerProfile> layers;  ///< slowest first
  std::string placement;             ///< "65 of 65 nodes on the NPU in 1 partition (HTP emulator)"
  bool stable = false;
  std::vector<std::pair<std::string, std::string>> runtime_config;
};

struct OutputAgreement {
  std::string output;
  double max_abs = 0, relative_max = 0, cosine = 1, psnr_db = 0, snr_db = 0;
  std::uint64_t elements = 0;
  std::uint64_t not_comparable = 0;  ///< NaN or infinite on one side only; in none of the figures
  std::uint64_t source_nan = 0;      ///< NaN in the source itself; in none of the figures either
  double equal_share = 1;            ///< part of the elements that are equal
  bool is_exact = false;             ///< integers and truth values: only the equal share says something
  std::string alarm = {};            ///< why it does not agree; empty: it does
};
struct Estimate {
  double nominal_us = 0, lower_us = 0, upper_us = 0;
};

/// What a job's process hands back. Files are names below the job folder's out/, turned into blobs by the agent.
struct JobOutcome {
  bool succeeded = false;
  FailureType failure_type = FailureType::kUnspecified;
  std::string failure_reason;
  std::string error_details;  ///< last log lines and the like

  std::string target_file;  ///< compile: the produced model, one file (folders are zipped)
  bool target_is_directory = false;
  std::map<std::string, std::string> companion_files;
  std::vector<ModelTensor> target_inputs, target_outputs;
  std::map<std::uint32_t, std::string> target_metadata;
  std::vector<OutputAgreement> agreement;
  std::string agreement_note;                 ///< who ran what, or why nothing was compared
  std::optional<Estimate> compiler_estimate;  ///< the compiler's own model; never an execution time
  std::map<std::string, std::uint64_t> compiler_traffic_bytes;

  std::optional<ProfileEvidence> profile;
  std::string output_dataset_file;  ///< inference: h5
  std::optional<Inspection> output_dataset_inspection;
  std::optional<Inspection> inspection;  ///< inspect jobs

  struct File {
    ArtifactType type = ArtifactType::kHubLog;
    std::string filename;
  };
  std::vector<File> artifacts;
  std::vector<std::string> warnings;  ///< of a job that succeeded: what nobody may overlook about its result
  std::vector<std::string> remarks;   ///< honest statements shown with the result: emulated, recompiled …
  std::vector<std::pair<std::string, std::string>> tool_versions;
  std::string sandbox;  ///< level reached, e.g. "bubblewrap + seccomp + landlock + limits"
};

/// Everything about one job. Kind-specific fields are empty for the others.
struct Job {
  std::string id;
  JobKind kind = JobKind::kCompile;
  std::string owner_id;
  std::string name;
  std::string options;  ///< as submitted, stripped
  std::string project_id;
  std::optional<Device> device;
  std::vector<Device> devices;
  std::string model_id;
  std::string dataset_id;  ///< inputs of an inference job, calibration data of a compile job, subject of an inspect job
  InputSpecs input_specs;
  bool is_profiling = false;
  bool answer_as_profile_job = false;  ///< submitted by an older client in the profile_job arm

  JobState state = JobState::kCreated;
  base::Time created;
  std::optional<base::Time> started, completed;
  base::Time updated;
  std::string target_model_id;    ///< compile
  std::string output_dataset_id;  ///< inference
  std::vector<Artifact> artifacts;
  std::optional<JobOutcome> outcome;

  std::string needs;        ///< what an agent must offer: empty (nothing), "qnn", or "device:" and its name
  int attempt = 0;          ///< times leased
  std::string agent_id;     ///< of the current or last attempt
  std::string lease_token;  ///< fencing token of the current attempt, or of the one that ended the job
  std::optional<base::Time> lease_until;
};

}  // namespace slipway::hub::domain
