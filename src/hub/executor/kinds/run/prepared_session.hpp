#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "hub/executor/internal/job.hpp"
#include "runtime/session.hpp"

namespace slipway::hub::executor {

/// A plan carried as far as ONNX Runtime: which file, on which provider, with which settings.
struct PreparedSession {
  std::filesystem::path model;  ///< a .onnx that ONNX Runtime loads
  std::filesystem::path graph;  ///< the plain graph behind it, for the compiler's estimate; may be empty
  runtime::SessionOptions session;
  std::vector<std::string> remarks;                                 ///< to be shown with the result
  std::vector<std::pair<std::string, std::string>> runtime_config;  ///< settings that differ from the default
};

/// Lays out the files of a job as its plan says, and turns the plan and the options into settings.
[[nodiscard]] std::expected<PreparedSession, Failure> prepare_session(const JobContext& job);

/// The chip of a device for the compiler, or nothing when it has no HTP.
[[nodiscard]] std::optional<runtime::HtpTarget> htp_of(const domain::Device& device);

/// --qnn_options as users write them, in the words of the QNN execution provider. `graph_name` takes
/// context_enable_graphs.
[[nodiscard]] std::map<std::string, std::string> qnn_provider_options(const std::map<std::string, std::string>& options,
                                                                      std::string& graph_name);

}  // namespace slipway::hub::executor
