#include "hub/protocol/routes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "hub/protocol/query.hpp"

namespace slipway::hub::protocol {
namespace {

struct Row {
  std::string_view method;
  std::string_view pattern;  ///< "*" is a variable segment
  Route route;
  Access access;
  std::string_view name;
};

/// Patterns that begin with api/v1/P/ also match without the project's two segments.
constexpr auto kRows = std::to_array<Row>({
    {"GET", "api/v1/users/auth/user", Route::kUser, Access::kUserToken, "user"},
    {"POST", "api/v1/users/auth/login", Route::kLogin, Access::kAnyone, "login"},
    {"GET", "api/v1/devices", Route::kDevices, Access::kUserToken, "devices"},
    {"GET", "api/v1/frameworks", Route::kFrameworks, Access::kUserToken, "frameworks"},

    {"POST", "api/v1/P/models", Route::kCreateModel, Access::kUserToken, "create model"},
    {"GET", "api/v1/P/models", Route::kModels, Access::kUserToken, "models"},
    {"GET", "api/v1/models/*", Route::kModel, Access::kUserToken, "model"},
    {"PATCH", "api/v1/models/*", Route::kUpdateModel, Access::kUserToken, "update model"},
    {"GET", "api/v1/models/*/multipart_upload", Route::kModelUploadPlan, Access::kUserToken, "model upload plan"},
    {"POST", "api/v1/models/*/multipart_upload", Route::kModelUploadComplete, Access::kUserToken, "model uploaded"},
    {"POST", "api/v1/models/*/upload_complete", Route::kCredentialsComplete, Access::kUserToken, "s3 uploaded"},
    {"GET", "api/v1/models/*/download", Route::kModelDownload, Access::kUserToken, "model download"},

    {"POST", "api/v1/P/datasets", Route::kCreateDataset, Access::kUserToken, "create dataset"},
    {"GET", "api/v1/datasets", Route::kDatasets, Access::kUserToken, "datasets"},
    {"GET", "api/v1/datasets/*", Route::kDataset, Access::kUserToken, "dataset"},
    {"PATCH", "api/v1/datasets/*", Route::kUpdateDataset, Access::kUserToken, "update dataset"},
    {"GET", "api/v1/datasets/*/upload_url", Route::kDatasetUploadPlan, Access::kUserToken, "dataset upload plan"},
    {"POST", "api/v1/datasets/*/upload_complete", Route::kCredentialsComplete, Access::kUserToken, "s3 uploaded"},
    {"GET", "api/v1/datasets/*/download_data", Route::kDatasetDownload, Access::kUserToken, "dataset download"},

    {"POST", "api/v1/P/jobs", Route::kSubmitJob, Access::kUserToken, "submit job"},
    {"GET", "api/v1/P/jobs", Route::kJobs, Access::kUserToken, "jobs"},
    {"GET", "api/v1/P/job_summaries", Route::kJobSummaries, Access::kUserToken, "job summaries"},
    {"GET", "api/v1/jobs/*", Route::kJob, Access::kUserToken, "job"},
    {"PATCH", "api/v1/jobs/*", Route::kUpdateJob, Access::kUserToken, "update job"},
    {"GET", "api/v1/jobs/*/result", Route::kJobResult, Access::kUserToken, "job result"},
    {"GET", "api/v1/jobs/*/download_compiled_model", Route::kCompiledModelDownload, Access::kUserToken,
     "compiled model download"},
    {"GET", "api/v1/jobs/*/device_runs/*/artifact_list/*", Route::kArtifacts, Access::kUserToken, "artifacts"},

    {"GET", "api/v1/jobs/*/shared_access", Route::kSharing, Access::kUserToken, "sharing"},
    {"PATCH", "api/v1/jobs/*/shared_access", Route::kSharing, Access::kUserToken, "sharing"},
    {"DELETE", "api/v1/jobs/*/shared_access", Route::kSharing, Access::kUserToken, "sharing"},
    {"GET", "api/v1/models/*/shared_access", Route::kSharing, Access::kUserToken, "sharing"},
    {"PATCH", "api/v1/models/*/shared_access", Route::kSharing, Access::kUserToken, "sharing"},
    {"DELETE", "api/v1/models/*/shared_access", Route::kSharing, Access::kUserToken, "sharing"},
    {"GET", "api/v1/datasets/*/shared_access", Route::kSharing, Access::kUserToken, "sharing"},
    {"PATCH", "api/v1/datasets/*/shared_access", Route::kSharing, Access::kUserToken, "sharing"},
    {"DELETE", "api/v1/datasets/*/shared_access", Route::kSharing, Access::kUserToken, "sharing"},

    {"GET", "api/v1/jobs/*/report", Route::kJobReport, Access::kUserTokenOrCookie, "job report"},
    {"GET", "api/v1/jobs/*/log", Route::kJobLog, Access::kUserTokenOrCookie, "job log"},
    {"GET", "api/v1/models/*/report", Route::kModelReport, Access::kUserTokenOrCookie, "model report"},
    {"GET", "api/v1/datasets/*/report", Route::kDatasetReport, Access::kUserTokenOrCookie, "dataset report"},
    {"GET", "api/v1/recent_jobs", Route::kRecentJobs, Access::kUserTokenOrCookie, "recent jobs"},
    {"GET", "api/v1/recent_models", Route::kRecentModels, Access::kUserTokenOrCookie, "recent models"},
    {"GET", "api/v1/recent_datasets", Route::kRecentDatasets, Access::kUserTokenOrCookie, "recent datasets"},

    {"POST", "agent/v1/register", Route::kAgentRegister, Access::kAgentToken, "agent register"},
    {"POST", "agent/v1/lease", Route::kAgentLease, Access::kAgentToken, "agent lease"},
    {"POST", "agent/v1/leave", Route::kAgentLeave, Access::kAgentToken, "agent leave"},
    {"POST", "agent/v1/jobs/*/renew", Route::kAgentRenew, Access::kAgentToken, "agent renew"},
    {"POST", "agent/v1/jobs/*/log", Route::kAgentLog, Access::kAgentToken, "agent log"},
    {"POST", "agent/v1/jobs/*/blob", Route::kAgentBlob, Access::kAgentToken, "agent blob"},
    {"POST", "agent/v1/jobs/*/complete", Route::kAgentComplete, Access::kAgentToken, "agent complete"},

    {"GET", "admin/v1/tokens", Route::kAdminTokens, Access::kAdministratorToken, "list tokens"},
    {"POST", "admin/v1/tokens", Route::kAdminCreateToken, Access::kAdministratorToken, "create token"},
    {"POST", "admin/v1/tokens/*/revoke", Route::kAdminRevokeToken, Access::kAdministratorToken, "revoke token"},
    {"POST", "admin/v1/collect", Route::kAdminCollect, Access::kAdministratorToken, "collect"},

    {"PUT", "assets/upload/*/*", Route::kAssetPart, Access::kLink, "upload part"},
    {"POST", "assets/form/*", Route::kAssetForm, Access::kLink, "upload form"},
    {"GET", "assets/download/*", Route::kAssetDownload, Access::kLink, "download"},

    {"GET", "", Route::kHome, Access::kAnyone, "home"},
    {"GET", "jobs", Route::kListPage, Access::kAnyone, "list page"},
    {"GET", "models", Route::kListPage, Access::kAnyone, "list page"},
    {"GET", "datasets", Route::kListPage, Access::kAnyone, "list page"},
    {"GET", "jobs/*", Route::kJobPage, Access::kAnyone, "job page"},
    {"GET", "models/*", Route::kModelPage, Access::kAnyone, "model page"},
    {"GET", "datasets/*", Route::kDatasetPage, Access::kAnyone, "dataset page"},
    {"GET", "sign-in", Route::kSignInPage, Access::kAnyone, "sign-in page"},
    {"POST", "sign-in", Route::kSignIn, Access::kAnyone, "sign in"},
    {"POST", "sign-out", Route::kSignOut, Access::kAnyone, "sign out"},
    {"GET", "web/*", Route::kWebFile, Access::kAnyone, "web file"},
    {"GET", "healthz", Route::kHealth, Access::kAnyone, "health"},
});

constexpr std::string_view kProjectMark = "api/v1/P/";

/// The segments of a path, or nothing when one of them can only be a trick.
std::optional<std::vector<std::string>> segments_of(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  std::vector<std::string> segments;
  if (path.empty()) return segments;
  while (true) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const auto segment = percent_decoded(path.substr(0, end), PlusMeans::kPlus);
    if (!segment || segment->empty() || *segment == "." || *segment == ".." ||
        segment->find('\0') != std::string::npos || segment->find('/') != std::string::npos) {
      return std::nullopt;
    }
    segments.push_back(*segment);
    if (end == path.size()) return segments;
    path.remove_prefix(end + 1);
  }
}

/// Matches the segments from `first` on against a pattern, collecting the variable ones.
bool matches(std::string_view pattern, const std::vector<std::string>& segments, std::size_t first,
             std::vector<std::string>& parameters) {
  parameters.clear();
  std::size_t i = first;
  while (!pattern.empty()) {
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    if (i >= segments.size()) return false;
    const std::string_view wanted = pattern.substr(0, end);
    if (wanted == "*") {
      parameters.push_back(segments[i]);
    } else if (wanted != segments[i]) {
      return false;
    }
    ++i;
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
  return i == segments.size();
}

bool row_matches(const Row& row, const std::vector<std::string>& segments, RouteMatch& match) {
  if (!row.pattern.starts_with(kProjectMark)) return matches(row.pattern, segments, 0, match.parameters);
  const std::string_view rest = row.pattern.substr(kProjectMark.size());
  if (segments.size() < 3 || segments[0] != "api" || segments[1] != "v1") return false;
  if (matches(rest, segments, 2, match.parameters)) return true;
  if (segments.size() < 5 || segments[2] != "projects" || !matches(rest, segments, 4, match.parameters)) return false;
  match.project_id = segments[3];
  return true;
}

}  // namespace

RouteMatch match_route(std::string_view method, std::string_view path) {
  RouteMatch other;
  if (method == "OPTIONS" && path == "*") {
    other.kind = RouteMatch::Kind::kOptions;
    other.allowed_methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    return other;
  }
  const auto segments = segments_of(path);
  if (!segments) return {};
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const Row& row : kRows) {
    RouteMatch match;
    if (!row_matches(row, *segments, match)) continue;
    if (row.method == wanted) {
      match.kind = RouteMatch::Kind::kFound;
      match.route = row.route;
      match.access = row.access;
      return match;
    }
    other.allowed_methods += row.method == "GET" ? "GET, HEAD, " : fmt::format("{}, ", row.method);
  }
  if (other.allowed_methods.empty()) return {};
  other.allowed_methods += "OPTIONS";
  other.kind = method == "OPTIONS" ? RouteMatch::Kind::kOptions : RouteMatch::Kind::kMethodNotAllowed;
  return other;
}

bool is_api_path(std::string_view path) {
  return path.starts_with("/api/") || path.starts_with("/agent/") || path.starts_with("/admin/");
}

std::string_view route_name(Route route) {
  const auto* const row = std::ranges::find(kRows, route, &Row::route);
  return row == kRows.end() ? "unknown" : row->name;
}

}  // namespace slipway::hub::protocol
