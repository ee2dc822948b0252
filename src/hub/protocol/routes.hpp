#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::hub::protocol {

/// What a request asks for.
enum class Route {
  // The official client's API, below /api/v1/; all but kCreate… and lists also exist without a project only.
  kUser,
  kLogin,
  kDevices,
  kFrameworks,
  kCreateModel,
  kModels,
  kModel,
  kUpdateModel,
  kModelUploadPlan,
  kModelUploadComplete,
  kModelDownload,
  kCreateDataset,
  kDatasets,
  kDataset,
  kUpdateDataset,
  kDatasetUploadPlan,
  kDatasetDownload,
  kSubmitJob,
  kJobs,
  kJobSummaries,
  kJob,
  kUpdateJob,
  kJobResult,
  kCompiledModelDownload,
  kArtifacts,
  kSharing,              ///< not offered yet: answered in words
  kCredentialsComplete,  ///< the end of an S3 upload that this hub never plans
  // Ours, for the pages.
  kJobReport,
  kJobLog,
  kModelReport,
  kDatasetReport,
  kRecentJobs,
  kRecentModels,
  kRecentDatasets,
  // Agents, below /agent/v1/.
  kAgentRegister,
  kAgentLease,
  kAgentLeave,
  kAgentRenew,
  kAgentLog,
  kAgentBlob,
  kAgentComplete,
  // The administrator's commands, below /admin/v1/.
  kAdminTokens,
  kAdminCreateToken,
  kAdminRevokeToken,
  kAdminCollect,
  // Transfers: the right of access is in the URL.
  kAssetPart,
  kAssetForm,
  kAssetDownload,
  // Pages.
  kHome,
  kListPage,  ///< of jobs, models or datasets
  kJobPage,
  kModelPage,
  kDatasetPage,
  kSignInPage,
  kSignIn,
  kSignOut,
  kWebFile,
  kHealth,
};

/// Who may ask.
enum class Access {
  kAnyone,
  kUserToken,           ///< a token of Scope::kUser
  kUserTokenOrCookie,   ///< the page's own calls
  kAgentToken,          ///< a token of Scope::kAgent
  kAdministratorToken,  ///< a user's token whose user is an administrator
  kLink,                ///< what the URL itself proves
};

struct RouteMatch {
  enum class Kind {
    kFound,
    kNotFound,
    kMethodNotAllowed,
    kOptions,  ///< OPTIONS of a path that exists, or of "*"
  } kind = Kind::kNotFound;
  Route route = Route::kHealth;
  Access access = Access::kAnyone;
  std::string project_id;               ///< of a "projects/<id>/" prefix
  std::vector<std::string> parameters;  ///< the variable segments in order, percent-decoded
  std::string allowed_methods;          ///< kMethodNotAllowed, kOptions: for the Allow header
};

/// Finds the route of a request. `path` is what stands before the query, as sent. A trailing slash may be missing.
/// HEAD finds what GET would; whoever answers leaves the body out.
/// Empty segments, "." and "..", NUL and broken percent signs match nothing.
[[nodiscard]] RouteMatch match_route(std::string_view method, std::string_view path);

/// True for the paths that are answered with 401 before anything else, even unknown ones.
[[nodiscard]] bool is_api_path(std::string_view path);

/// A word for logs, where paths do not go: they may hold secrets.
[[nodiscard]] std::string_view route_name(Route route);

}  // namespace slipway::hub::protocol
