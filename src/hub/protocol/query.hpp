#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/devices.hpp"
#include "hub/domain/ports/job_store.hpp"
#include "hub/protocol/transfers.hpp"

namespace slipway::hub::protocol {

/// Whether "+" is a space (forms and queries) or itself (paths).
enum class PlusMeans { kSpace, kPlus };

/// Undoes percent-encoding. Nothing when a percent sign is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, PlusMeans plus);

/// Percent-encodes all but letters, digits and "-._~".
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// The parameters of a query string or a URL-encoded form; a key may come several times.
class Query {
 public:
  /// @error kInvalidArgument: a broken percent sign, or more than 256 parameters
  [[nodiscard]] static base::Result<Query> parse(std::string_view text);

  /// The first value of a key; empty when there is none.
  [[nodiscard]] std::string first(const std::string& key) const;
  [[nodiscard]] std::vector<std::string> all(const std::string& key) const;
  [[nodiscard]] bool has(const std::string& key) const { return values_.contains(key); }

  /// "true", "True", "1" are true; "false", "False", "0", "" and an absent key are false.
  /// @error kInvalidArgument: anything else
  [[nodiscard]] base::Result<bool> flag(const std::string& key) const;
  /// @error kInvalidArgument: not a whole number of 0 or more that fits 63 bits
  [[nodiscard]] base::Result<std::uint64_t> number(const std::string& key, std::uint64_t otherwise) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

/// `name`, `os`, `select`, `attributes`.
[[nodiscard]] base::Result<domain::DeviceQuery> device_query(const Query& query);

/// `offset` and `limit` (50 when absent, at most 1000).
[[nodiscard]] base::Result<domain::Page> page_of(const Query& query);

/// `state` (comma-joined numbers or names) and `type` (words or numbers; profile and inference mean both, because this
/// client's two names are one). The creator is looked up elsewhere.
/// A state that is not known (also 0, which the official client's list of running states holds) matches no job.
/// @error kInvalidArgument: an unknown type (it is named, with those known)
[[nodiscard]] base::Result<domain::JobFilter> job_filter(const Query& query);

/// `supports_s3_credentials` selects the wrapper message.
[[nodiscard]] base::Result<PlanForm> plan_form(const Query& query);

}  // namespace slipway::hub::protocol
