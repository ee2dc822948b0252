#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/onnxruntime.hpp"
#include "runtime/session.hpp"

namespace slipway::runtime {

/// A node that a provider refused.
struct RefusedNode {
  std::string name;
  std::string op_type;
  std::string reason;  ///< the provider's words; empty when it gave none
};

/// Collects what ONNX Runtime and a provider say of a model while its session is made; what they say of every model is
/// left out. Its address goes to ONNX Runtime, so it stays where it is until the session is gone.
/// @thread safe
class SessionLog {
 public:
  static void ORT_API_CALL receive(void* self, OrtLoggingLevel severity, const char* category, const char* id,
                                   const char* location, const char* message);

  /// Forgets what came of a first try; the warning is the first line of the second.
  void begin_again(std::string warning);
  /// Lines that arrive later are dropped: they belong to runs.
  void stop();

  /// "warning: …" and "error: …", in order.
  [[nodiscard]] std::vector<std::string> lines() const;
  [[nodiscard]] std::vector<std::string> errors() const;

  /// The nodes that QNN refused, with its reasons where its verbose lines gave them.
  [[nodiscard]] std::vector<RefusedNode> refused_nodes() const;

 private:
  mutable std::mutex mutex_;
  bool stopped_ = false;
  std::vector<std::string> warnings_;  ///< and errors, in order
  std::vector<std::string> errors_;
  std::string unsupported_;            ///< the first "Unsupported nodes" line: names as in the model
  std::vector<std::string> refusals_;  ///< "Validation FAILED …"
};

/// Nodes of `Unsupported nodes in QNN EP: { name: erf, type: Erf }{ name: det, type: Det }`.
[[nodiscard]] std::vector<RefusedNode> parse_unsupported_nodes(std::string_view line);

/// Node name -> reason of one multi-line "Validation FAILED" message.
[[nodiscard]] std::map<std::string, std::string> parse_refusal(std::string_view message);

/// Says why a session was not made: names nodes and operators when the provider refused some.
[[nodiscard]] base::Error explain_load_failure(const Ort::Exception& exception, const SessionLog& log,
                                               const SessionOptions& options, std::string_view model);

/// The error with files of this folder named without it: ONNX Runtime names whole paths, and a model often lies in a
/// folder that is made for it and gone when its user reads of it.
[[nodiscard]] base::Error without_folder(base::Error error, const std::filesystem::path& folder);

}  // namespace slipway::runtime
