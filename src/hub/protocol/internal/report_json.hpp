#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "hub/domain/job.hpp"

/// What the reports behind the pages have in common. Texts of strangers go through wire_text(), so that every document
/// is valid JSON; escaping for HTML is the page's part (it sets text as text).
namespace slipway::hub::protocol::internal {

/// JSON cannot write an infinite or undefined number; those become texts.
[[nodiscard]] nlohmann::ordered_json number(double value);
[[nodiscard]] nlohmann::ordered_json time_or_null(const std::optional<base::Time>& time);
[[nodiscard]] nlohmann::ordered_json tensor_json(const tensor::TensorSpec& spec, std::string_view graph_name);
/// null: there are no bytes (yet).
[[nodiscard]] nlohmann::ordered_json blob_json(const domain::Blob& blob);
/// @param link  where the bytes can be fetched; empty: nowhere (yet)
[[nodiscard]] nlohmann::ordered_json model_json(const domain::Model& model, const std::string& link);
[[nodiscard]] nlohmann::ordered_json dataset_json(const domain::Dataset& dataset, const std::string& link);
/// How the outputs of what a job made stand against the source's.
/// @param note  who ran what, or why nothing was compared
void report_agreement(const std::vector<domain::OutputAgreement>& agreement, const std::string& note,
                      nlohmann::ordered_json& report);
/// The compiler's own account, labelled as such.
void report_compiler_account(const domain::CompilerAccount& account, nlohmann::ordered_json& report);
/// A job without its result.
[[nodiscard]] nlohmann::ordered_json job_json(const domain::Job& job);
/// Jobs as lists show them: each with the name of its device.
[[nodiscard]] nlohmann::ordered_json jobs_json(const std::vector<domain::Job>& jobs);

}  // namespace slipway::hub::protocol::internal
