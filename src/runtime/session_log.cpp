#include "runtime/session_log.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "runtime/assignment.hpp"

namespace slipway::runtime {
namespace {

constexpr std::size_t kMostLines = 500;
constexpr std::size_t kMostCharacters = 4000;
constexpr std::size_t kMostNodesNamed = 10;
constexpr std::string_view kUnsupported = "Unsupported nodes in QNN EP:";
constexpr std::string_view kRefusal = "Validation FAILED";
constexpr std::string_view kFallbackDisabled = "fallback to CPU EP has been explicitly disabled";
constexpr std::string_view kLayoutRefused = "was inserted using the NHWC format";

// Said of every session or every mixed placement, whatever the model: how this build of the provider maps files, how
// ONNX Runtime asks itself about its own graphs, and that some nodes are on the CPU, which the placement tells exactly.
constexpr std::array<std::string_view, 4> kNoise = {
    "File mapped weights feature is only available on Windows",
    "Unable to get producer node for OrtValueInfo",
    "Some nodes were not assigned to the preferred execution providers",
    "Rerunning with verbose output on a non-minimal build",
};

std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const auto begin = text.find(before);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + before.size());
  return text.substr(0, text.find(after));
}

std::string describe(const ProviderRequest& provider) {
  if (!provider.htp) return fmt::format("the {} provider", provider.name);
  return fmt::format("the {} provider (SoC {}, HTP v{})", provider.name, provider.htp->soc_model,
                     provider.htp->htp_arch);
}

std::string describe(const std::vector<RefusedNode>& nodes, const SessionOptions& options) {
  std::string text;
  for (std::size_t i = 0; i < std::min(nodes.size(), kMostNodesNamed); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", node_in_words(nodes[i].name, nodes[i].op_type, options));
    if (!nodes[i].reason.empty()) text += fmt::format(" ({})", nodes[i].reason);
  }
  if (nodes.size() > kMostNodesNamed) text += fmt::format(" and {} more", nodes.size() - kMostNodesNamed);
  return text;
}

/// Without the place in ONNX Runtime's own source, "/onnxruntime_src/…/model.cc:256 Model::Model(ModelProto&&, …) ".
std::string without_source_places(std::string text) {
  constexpr std::string_view kSource = "/onnxruntime_src/";
  for (auto at = text.find(kSource); at != std::string::npos; at = text.find(kSource, at)) {
    int depth = 0;
    auto end = text.find('(', at);
    for (; end < text.size(); ++end) {
      if (text[end] == '(') ++depth;
      if (text[end] == ')' && --depth == 0 && text.substr(end + 1, 1) != "(") break;
    }
    if (end >= text.size()) break;  // none of its usual form
    ++end;
    if (text.compare(end, 6, " const") == 0) end += 6;
    text.erase(at, text.find_first_not_of(' ', end) - at);
  }
  return text;
}

bool is_about_memory(std::string_view what) {
  return what.find("bad_alloc") != std::string_view::npos || what.find("Failed to allocate memory") != what.npos;
}

bool is_about_the_model(const Ort::Exception& exception) {
  switch (exception.GetOrtErrorCode()) {
    case ORT_INVALID_PROTOBUF:
    case ORT_INVALID_GRAPH:
    case ORT_NO_MODEL:
      return true;
    default:
      return std::string_view(exception.what()).starts_with("Load model from");
  }
}

}  // namespace

std::string node_in_words(const std::string& name, const std::string& op_type, const SessionOptions& options) {
  const auto place = options.node_places.find(name);
  if (place != options.node_places.end()) return place->second;
  return name.empty() ? fmt::format("{} without a name", op_type) : fmt::format("{} '{}'", op_type, name);
}

void ORT_API_CALL SessionLog::receive(void* self, OrtLoggingLevel severity, const char*, const char*, const char*,
                                      const char* message) {
  auto& log = *static_cast<SessionLog*>(self);
  const std::string_view text = std::string_view(message).substr(0, kMostCharacters);
  const bool is_refusal = text.starts_with(kRefusal);
  if (severity < ORT_LOGGING_LEVEL_WARNING && !is_refusal) return;
  if (severity == ORT_LOGGING_LEVEL_WARNING &&
      std::ranges::any_of(kNoise, [&](std::string_view noise) { return text.starts_with(noise); })) {
    return;
  }
  const std::scoped_lock lock(log.mutex_);
  if (log.stopped_) return;
  if (is_refusal) {
    if (log.refusals_.size() < kMostLines) log.refusals_.emplace_back(text);
    return;
  }
  const bool is_error = severity >= ORT_LOGGING_LEVEL_ERROR;
  if (log.unsupported_.empty() && text.starts_with(kUnsupported)) log.unsupported_ = message;
  if (log.warnings_.size() < kMostLines) {
    std::string line = fmt::format("{}: {}", is_error ? "error" : "warning", text);
    if (std::ranges::find(log.warnings_, line) == log.warnings_.end()) log.warnings_.push_back(std::move(line));
  }
  if (is_error && log.errors_.size() < kMostLines) log.errors_.emplace_back(text);
}

void SessionLog::begin_again(std::string warning) {
  const std::scoped_lock lock(mutex_);
  warnings_ = {"warning: " + std::move(warning)};
  errors_.clear();
  unsupported_.clear();
  refusals_.clear();
}

void SessionLog::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
}

std::vector<std::string> SessionLog::lines() const {
  const std::scoped_lock lock(mutex_);
  return warnings_;
}

std::vector<std::string> SessionLog::errors() const {
  const std::scoped_lock lock(mutex_);
  return errors_;
}

std::vector<RefusedNode> SessionLog::refused_nodes() const {
  const std::scoped_lock lock(mutex_);
  std::vector<RefusedNode> nodes = parse_unsupported_nodes(unsupported_);
  // Reasons come by name: of several nodes without one nobody knows whose it is.
  const bool has_namesakes = std::ranges::count(nodes, "", &RefusedNode::name) > 1;
  for (const std::string& refusal : refusals_) {
    const auto reasons = parse_refusal(refusal);
    for (RefusedNode& node : nodes) {
      const auto reason = reasons.find(node.name);
      const bool is_its_own = !node.name.empty() || !has_namesakes;
      if (is_its_own && reason != reasons.end() && node.reason.empty()) node.reason = reason->second;
    }
  }
  return nodes;
}

std::vector<RefusedNode> parse_unsupported_nodes(std::string_view line) {
  std::vector<RefusedNode> nodes;
  constexpr std::string_view kName = "{ name: ", kType = ", type: ", kEnd = " }";
  for (auto at = line.find(kName); at != std::string_view::npos; at = line.find(kName)) {
    line.remove_prefix(at + kName.size());
    const auto end = line.find(kEnd);
    if (end == std::string_view::npos) break;
    const auto entry = line.substr(0, end);
    const auto split = entry.rfind(kType);
    if (split != std::string_view::npos) {
      nodes.push_back({std::string(entry.substr(0, split)), std::string(entry.substr(split + kType.size())), {}});
    }
    line.remove_prefix(end);
  }
  return nodes;
}

std::map<std::string, std::string> parse_refusal(std::string_view message) {
  std::map<std::string, std::string> reasons;
  std::string reason(base::trimmed(between(message, "REASON :", "will not be assigned to QNN EP")));
  // The provider ends its reason with "<type> node `<name>` will not be assigned…"; keep the first sentence.
  if (const auto sentence = reason.find('.'); sentence != std::string::npos) reason.resize(sentence);
  constexpr std::string_view kName = "Node name: ", kIndex = " Node index: ";
  for (auto at = message.find(kName); at != std::string_view::npos; at = message.find(kName)) {
    message.remove_prefix(at + kName.size());
    reasons.emplace(message.substr(0, message.find(kIndex)), reason);
  }
  return reasons;
}

base::Error explain_load_failure(const Ort::Exception& exception, const SessionLog& log, const SessionOptions& options,
                                 std::string_view model) {
  using base::Code;
  const ProviderRequest& provider = options.provider;
  const bool forbids_fallback = options.fallback == Fallback::kForbid;
  const std::string_view advice = options.may_advise_fallback ? "Allow the fallback, or replace" : "Replace";
  const std::string words = without_source_places(exception.what());
  const std::string_view what = base::trimmed(words);  // OpenVINO ends with empty lines
  if (is_about_memory(what)) {
    return {Code::kResourceExhausted, fmt::format("{}: not enough memory to load it: {}", model, what),
            base::Reason::kOutOfMemory};
  }
  if (provider_has(provider.name, &ProviderRow::is_fallback) || is_about_the_model(exception)) {
    const Code code =
        exception.GetOrtErrorCode() == ORT_NOT_IMPLEMENTED ? Code::kUnimplemented : Code::kInvalidArgument;
    return {code, fmt::format("{}: ONNX Runtime does not take this model: {}", model, what)};
  }
  if (what.find(kLayoutRefused) != std::string_view::npos) {
    return {Code::kUnimplemented,
            fmt::format("{}: {} refuses {}, which ONNX Runtime had already rewritten for it, so not even the CPU can "
                        "take it over: {}",
                        model, describe(provider),
                        node_in_words(name_in_model(between(what, "Node '", "'"), kLayoutDomain),
                                      std::string(between(what, "OpType:", " ")), options),
                        what),
            base::Reason::kUnsupportedOperator};
  }
  const std::vector<std::string> errors = log.errors();
  if (what.find(kFallbackDisabled) != std::string_view::npos) {
    const std::vector<RefusedNode> nodes = log.refused_nodes();
    if (!nodes.empty()) {
      return {Code::kFailedPrecondition,
              fmt::format("{}: {} refuses {} node{} and fallback to the CPU is forbidden: {}. {} {} node{}", model,
                          describe(provider), nodes.size(), nodes.size() == 1 ? "" : "s", describe(nodes, options),
                          advice, nodes.size() == 1 ? "this" : "these", nodes.size() == 1 ? "" : "s"),
              base::Reason::kUnsupportedOperator};
    }
    // A backend that did not start takes no node at all, and this is all that ONNX Runtime says of it.
    std::vector<std::string> causes = errors;
    std::erase_if(causes, [](const std::string& line) { return line.find(kFallbackDisabled) != std::string::npos; });
    if (!causes.empty()) {
      return {Code::kUnavailable,
              fmt::format("{}: {} did not start: {}", model, describe(provider), fmt::join(causes, "; "))};
    }
    return {Code::kFailedPrecondition,
            fmt::format("{}: {} left nodes to the CPU and fallback is forbidden{}", model, describe(provider),
                        options.may_advise_fallback ? ". Allow the fallback to see which" : "")};
  }
  std::string reasons;
  for (const std::string& error : errors) {
    if (what.find(error) == std::string_view::npos) reasons += "; " + error;
  }
  const bool refused_by_compiler =
      forbids_fallback || what.find("QNN") != std::string_view::npos || exception.GetOrtErrorCode() == ORT_EP_FAIL;
  return {refused_by_compiler ? Code::kUnimplemented : Code::kInternal,
          fmt::format("{}: {} could not take the model: {}{}", model, describe(provider), what, reasons)};
}

base::Error without_folder(base::Error error, const std::filesystem::path& folder) {
  if (folder.empty() || folder == folder.root_path()) return error;
  const std::string prefix = (folder / "").string();
  for (auto at = error.message.find(prefix); at != std::string::npos; at = error.message.find(prefix, at)) {
    error.message.erase(at, prefix.size());
  }
  return error;
}

}  // namespace slipway::runtime
