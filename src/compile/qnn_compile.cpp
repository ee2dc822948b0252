#include "compile/qnn_compile.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <unistd.h>

#include "base/files.hpp"
#include "compile/compiler_profile.hpp"
#include "compile/onnx_graph/context_nodes.hpp"
#include "compile/soc.hpp"
#include "runtime/session.hpp"

namespace slipway::compile {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::fail;
using base::Result;

constexpr std::string_view kProfileFile = "compiler_profile.csv";
constexpr std::string_view kDlcFile = "model.dlc";

/// Options that are decided here; a user's own value would contradict the chip or write outside of the output folder.
constexpr std::array<std::string_view, 9> kReserved = {
    "backend_path", "backend_type",        "dump_qnn_ir_dlc", "dump_qnn_ir_dlc_dir",
    "htp_arch",     "profiling_file_path", "profiling_level", "qnn_ir_backend_path",
    "soc_model"};

/// The QNN libraries leave files in the working folder whatever paths they are given.
class WorkingFolder {
 public:
  static Result<WorkingFolder> enter(const fs::path& parent) {
    SLIPWAY_ASSIGN(auto scratch, base::TemporaryFolder::create("qnn", parent));
    std::error_code error;
    auto before = fs::current_path(error);
    if (!error) fs::current_path(scratch.path(), error);
    if (error) return std::unexpected(base::errno_error(error.value(), "change the working folder"));
    return WorkingFolder(std::move(before), std::move(scratch));
  }
  ~WorkingFolder() {
    std::error_code ignored;
    if (!before_.empty()) fs::current_path(before_, ignored);
  }
  WorkingFolder(WorkingFolder&& other) noexcept
      : before_(std::exchange(other.before_, {})), scratch_(std::move(other.scratch_)) {}
  WorkingFolder& operator=(WorkingFolder&&) = delete;

 private:
  WorkingFolder(fs::path before, base::TemporaryFolder scratch)
      : before_(std::move(before)), scratch_(std::move(scratch)) {}
  fs::path before_;
  base::TemporaryFolder scratch_;
};

/// A file holding part of a model would look like the whole: only the ONNX target can carry nodes for the CPU.
runtime::Fallback fallback_of(const CompileRequest& request) {
  return request.target == Target::kPrecompiledQnnOnnx ? request.fallback : runtime::Fallback::kForbid;
}

runtime::SessionOptions qnn_session(const CompileRequest& request, const Prepared& prepared) {
  runtime::SessionOptions session;
  session.node_places = prepared.node_places;
  session.may_advise_fallback = request.target == Target::kPrecompiledQnnOnnx;
  session.provider.name = runtime::htp_provider().name;
  session.provider.htp = request.htp;
  session.fallback = fallback_of(request);
  auto& options = session.provider.options;
  options = request.qnn_options;
  if (request.chip_supports_fp16) options.emplace("enable_htp_fp16_precision", "1");
  // By default Quantize and Dequantize at the graph's edge run on the CPU, which is a fallback.
  if (session.fallback == runtime::Fallback::kForbid) options["offload_graph_io_quantization"] = "0";
  return session;
}

/// The compiler writes its predictions into a profile, for the few chips whose cost model it has.
void ask_for_predictions(runtime::SessionOptions& session, const CompileRequest& request, const fs::path& folder) {
  if (!has_cost_model(*request.htp)) return;
  session.provider.options["profiling_level"] = "basic";
  session.provider.options["profiling_file_path"] = (folder / kProfileFile).string();
}

runtime::SessionOptions compiling_session(const std::shared_ptr<runtime::Environment>& environment,
                                          const CompileRequest& request, const Prepared& prepared,
                                          const fs::path& folder) {
  auto session = qnn_session(request, prepared);
  auto& options = session.provider.options;
  if (request.target == Target::kQnnDlc) {
    options["dump_qnn_ir_dlc"] = "1";
    options["dump_qnn_ir_dlc_dir"] = (folder / "dlc").string();
    options["qnn_ir_backend_path"] = (environment->paths().qnn_folder / "libQnnIr.so").string();
    return session;
  }
  session.config_entries.emplace_back("ep.context_enable", "1");
  session.config_entries.emplace_back("ep.context_file_path", (folder / "model.onnx").string());
  session.config_entries.emplace_back("ep.context_embed_mode",
                                      request.target == Target::kPrecompiledQnnOnnx ? "1" : "0");
  ask_for_predictions(session, request, folder);
  return session;
}

base::Error in_words(base::Error error, const CompileRequest& request) {
  // What the runtime calls an unmet condition (nodes left for the CPU) is here a graph that the chip cannot take.
  if (error.code == Code::kFailedPrecondition) error.code = Code::kUnimplemented;
  return error.with(fmt::format("compiling for {}", chip_name(*request.htp)));
}

/// "Det 'determinant', Unique 'uniq'": the nodes that stay on the CPU.
std::string nodes_left(const runtime::PlacementReport& placement, const runtime::SessionOptions& session) {
  constexpr std::size_t kMostNamed = 10;
  std::vector<std::string> names;
  for (const auto& layer : placement.layers) {
    if (layer.unit != runtime::ComputeUnit::kCpu) continue;
    names.push_back(runtime::node_in_words(layer.name, layer.op_type, session));
  }
  const std::size_t more = names.size() > kMostNamed ? names.size() - kMostNamed : 0;
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

base::Error every_node_refused(const CompileRequest& request, const Prepared& prepared,
                               const runtime::PlacementReport& placement) {
  const std::string left = nodes_left(placement, qnn_session(request, prepared));
  return {Code::kUnimplemented,
          fmt::format("Qualcomm's compiler takes no node of this graph for {}, so there is nothing to compile{}{}; use "
                      "the target onnx",
                      chip_name(*request.htp), left.empty() ? "" : ": it refuses ", left),
          base::Reason::kUnsupportedOperator};
}

/// QNN names the nodes that it refuses only where it takes others beside them. A graph of which it takes none is loaded
/// again with the fallback allowed, which compiles nothing and says of each node where it runs.
/// @return nothing when that is not what is the matter
std::optional<base::Error> refusal_of_everything(const std::shared_ptr<runtime::Environment>& environment,
                                                 const CompileRequest& request, const Prepared& prepared,
                                                 const base::Error& error) {
  const bool may_be = error.code == Code::kFailedPrecondition || error.code == Code::kUnavailable;
  // Where it names nodes, it takes the others.
  if (!may_be || error.reason == base::Reason::kUnsupportedOperator) return std::nullopt;
  auto options = qnn_session(request, prepared);
  options.fallback = runtime::Fallback::kAllow;
  const auto session = runtime::Session::load(environment, prepared.model, options);
  if (!session) return std::nullopt;
  // A backend that did not start takes nothing either, but says so.
  const auto is_error = [](const std::string& line) { return line.starts_with("error"); };
  const auto& placement = (*session)->placement();
  const bool is_all_left = placement.node_count() > 0 && placement.partitions == 0 &&
                           placement.nodes_on(runtime::ComputeUnit::kCpu) == placement.node_count();
  if (!is_all_left || std::ranges::any_of((*session)->log_lines(), is_error)) return std::nullopt;
  return every_node_refused(request, prepared, placement);
}

Result<fs::path> the_one_dlc(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "dlc", error)) {
    if (entry.path().extension() == ".dlc") found.push_back(entry.path());
  }
  if (found.size() != 1) {
    return fail(Code::kUnimplemented,
                "the compiler split the graph into {} parts, and a DLC holds one; use the target precompiled_qnn_onnx",
                found.size());
  }
  return found.front();
}

Result<void> collect_dlc(const fs::path& folder, CompileResult& result) {
  SLIPWAY_ASSIGN(const fs::path dlc, the_one_dlc(folder));
  result.metadata["graph_names"] = dlc.stem().string();
  result.artifact = folder / kDlcFile;
  SLIPWAY_TRY(base::rename_durably(dlc, result.artifact));
  std::error_code ignored;
  fs::remove_all(folder / "dlc", ignored);
  return {};
}

Result<void> collect_context(const CompileRequest& request, const Prepared& prepared, const fs::path& folder,
                             CompileResult& result) {
  const fs::path wrapper = folder / "model.onnx";
  // With the fallback allowed a session is made all the same, but nothing is written.
  if (!fs::exists(wrapper)) return std::unexpected(every_node_refused(request, prepared, result.placement));
  SLIPWAY_ASSIGN(const auto model, onnx_graph::Model::read(wrapper));
  const auto nodes = onnx_graph::context_nodes(model);
  if (nodes.empty()) return std::unexpected(every_node_refused(request, prepared, result.placement));
  std::vector<std::string> graphs;
  std::set<std::string> files;
  for (const auto& node : nodes) {
    graphs.push_back(node.graph_name);
    if (!node.is_embedded) files.insert(node.file);
    if (!node.sdk_version.empty()) result.metadata["qairt_version"] = node.sdk_version;
  }
  result.metadata["graph_names"] = fmt::format("{}", fmt::join(graphs, ","));
  if (request.target == Target::kPrecompiledQnnOnnx) {
    result.artifact = wrapper;
    return {};
  }
  files.erase("");
  if (files.size() != 1 || *files.begin() != kContextBinaryFile) {
    return fail(Code::kInternal, "expected the compiler to write {}, found {}", kContextBinaryFile,
                fmt::join(files, ", "));
  }
  result.wrapper = wrapper;
  result.artifact = folder / kContextBinaryFile;
  return {};
}

void describe(const std::shared_ptr<runtime::Environment>& environment, const CompileRequest& request,
              CompileResult& result) {
  auto& metadata = result.metadata;
  if (const auto version = environment->qairt_version()) metadata.emplace("qairt_version", "v" + *version);
  metadata["backend"] = "HTP";
  metadata["chip"] = chip_name(*request.htp);
  metadata["htp_arch"] = fmt::format("{}", request.htp->htp_arch);
  metadata["soc_model"] = fmt::format("{}", request.htp->soc_model);
  const auto copy_option = [&](const char* option, const char* key) {
    const auto found = request.qnn_options.find(option);
    if (found != request.qnn_options.end()) metadata[key] = found->second;
  };
  copy_option("vtcm_mb", "vtcm_mb");
  metadata["optimization_level"] = "default";
  copy_option("htp_graph_finalization_optimization_mode", "optimization_level");
}

void collect_profile(const fs::path& folder, const CompileRequest& request, const Log& log, CompileResult& result) {
  const fs::path csv = folder / kProfileFile;
  std::error_code ignored;
  fs::remove(folder / "compiler_profile_qnn.log", ignored);  // the same in a form that only Qualcomm's viewer reads
  if (!fs::exists(csv)) return;
  const auto profile = read_compiler_profile(csv);
  if (request.target == Target::kQnnDlc) {
    fs::remove(csv, ignored);  // it also holds times of the emulator, which are nobody's business
  } else {
    result.extra_files.push_back(csv);
  }
  if (!profile) {
    log(fmt::format("the compiler's profile could not be read: {}", profile.error().message));
    return;
  }
  result.estimate = profile->estimate;
  result.traffic = profile->traffic;
  if (!result.estimate) return;
  log(fmt::format(
      "Qualcomm's compiler estimates {:.0f} us ({:.0f} to {:.0f}) for the NPU part on {}: its own cost "
      "model, not a measurement",
      result.estimate->nominal_us, result.estimate->lower_us, result.estimate->upper_us, chip_name(*request.htp)));
}

/// What is run to compare: the artifact itself, or for a DLC, which nothing here can read back, the same graph compiled
/// again for the same chip.
Candidate candidate_for(const CompileRequest& request, const Prepared& prepared, const CompileResult& result,
                        const fs::path& folder) {
  Candidate candidate;
  candidate.session = qnn_session(request, prepared);
  candidate.is_emulated = result.placement.is_emulated;
  candidate.executor =
      fmt::format("{} for {}", candidate.is_emulated ? "the HTP emulator" : "the NPU", chip_name(*request.htp));
  if (request.target == Target::kQnnDlc) {
    candidate.model = prepared.model;
    ask_for_predictions(candidate.session, request, folder);
    candidate.remark = "a DLC cannot be read back here: the same graph, compiled once more for the same chip, was run";
  } else {
    candidate.model = request.target == Target::kQnnContextBinary ? result.wrapper : result.artifact;
  }
  return candidate;
}

Result<void> check_options(const CompileRequest& request) {
  for (const auto& [key, value] : request.qnn_options) {
    if (std::ranges::find(kReserved, key) != kReserved.end()) {
      return fail(Code::kInvalidArgument, "the QNN option {} follows from the target and the device and cannot be set",
                  key);
    }
  }
  return {};
}

/// The wrapper of a context is a graph whose one node gives every output, and no node gives a name twice.
Result<void> check_outputs(const CompileRequest& request, const onnx_graph::ModelSummary& model) {
  std::set<std::string> names;
  for (const auto& output : model.outputs) {
    if (request.target == Target::kQnnDlc || names.insert(output.name).second) continue;
    return fail(Code::kInvalidArgument,
                "the output \"{}\" is listed twice, which a precompiled graph cannot hold: list it once, or use the "
                "target onnx or qnn_dlc",
                output.name);
  }
  return {};
}

/// Says where the graph was rewritten because the chip's compiler would have got it wrong.
void report_avoided_faults(const Prepared& prepared, const Log& log, CompileResult& result) {
  std::vector<std::string> ids;
  for (const auto& avoided : prepared.avoided_faults) {
    log(npu_faults::to_string(avoided));
    if (avoided.places > 0) ids.emplace_back(avoided.fault->id);
  }
  if (!ids.empty()) result.metadata["avoided_compiler_faults"] = fmt::format("{}", fmt::join(ids, ","));
}

}  // namespace

Result<void> check_chip(const CompileRequest& request, const onnx_graph::ModelSummary& model) {
  if (!request.htp) {
    return fail(Code::kInvalidArgument, "target {} needs a device with an NPU", target_name(request.target));
  }
  if (request.htp->htp_arch < kOldestHtp) {
    const std::string found = request.htp->htp_arch > 0
                                  ? fmt::format("this chip's Hexagon is v{}", request.htp->htp_arch)
                                  : "this chip has none";
    return fail(Code::kFailedPrecondition,
                "target {} needs an HTP (Hexagon v{} or newer), and {}; use the target onnx for this device",
                target_name(request.target), kOldestHtp, found);
  }
  if (!request.chip_supports_fp16 && !model.has_qdq) {
    return fail(
        Code::kFailedPrecondition,
        "{} computes with integers only and this is a float graph: quantise the model first (QuantizeLinear and "
        "DequantizeLinear nodes, 8 or 16 bits), or choose a device whose NPU supports FP16",
        chip_name(*request.htp));
  }
  for (const auto& input : model.inputs) {
    if (!tensor::is_static(input)) {
      return fail(Code::kInvalidArgument, "input \"{}\" is {}: the NPU needs fixed sizes; give them as input specs",
                  input.name, tensor::to_string(input));
    }
  }
  return check_outputs(request, model);
}

Result<void> compile_for_qnn(const std::shared_ptr<runtime::Environment>& environment, const CompileRequest& request,
                             const Prepared& prepared, const Log& log, CompileResult& result) {
  SLIPWAY_TRY(check_options(request));
  SLIPWAY_TRY(check_chip(request, prepared.summary));
  const fs::path folder = request.output_folder / "compiled";
  std::error_code error;
  fs::remove_all(folder, error);  // profiles are appended to, and an older DLC would be taken for the new one
  fs::create_directories(folder, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("make {}", folder.string())));
  SLIPWAY_ASSIGN(const WorkingFolder scratch, WorkingFolder::enter(request.output_folder));

  log(fmt::format("compiling for {} with QAIRT {}", chip_name(*request.htp),
                  environment->qairt_version().value_or("of an unknown version")));
  if (!request.graph_name.empty()) {
    log(fmt::format("the graph keeps the compiler's own name: ONNX Runtime offers no way to name it {}",
                    request.graph_name));
  }
  report_avoided_faults(prepared, log, result);
  {
    auto session =
        runtime::Session::load(environment, prepared.model, compiling_session(environment, request, prepared, folder));
    if (!session) {
      if (auto refusal = refusal_of_everything(environment, request, prepared, session.error())) {
        return std::unexpected(*std::move(refusal));
      }
      return std::unexpected(in_words(std::move(session).error(), request));
    }
    result.placement = (*session)->placement();
    for (const auto& line : (*session)->log_lines()) log(fmt::format("QNN: {}", line));
  }
  log(result.placement.summary());
  if (request.target == Target::kQnnDlc) {
    SLIPWAY_TRY(collect_dlc(folder, result));
  } else {
    SLIPWAY_TRY(collect_context(request, prepared, folder, result));
  }
  describe(environment, request, result);
  if (request.made) request.made(result);
  SLIPWAY_ASSIGN(Comparison comparison,
                 compare_with_source(environment, request, prepared, candidate_for(request, prepared, result, folder)));
  store_comparison(std::move(comparison), result);
  collect_profile(folder, request, log, result);
  return {};
}

}  // namespace slipway::compile
