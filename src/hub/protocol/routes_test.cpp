#include "hub/protocol/routes.hpp"

#include <gtest/gtest.h>

namespace slipway::hub::protocol {
namespace {

using Kind = RouteMatch::Kind;

struct Example {
  std::string_view method, path;
  Route route;
  std::vector<std::string> parameters;
};

TEST(Routes, every_path_of_the_client_leads_to_its_handler) {
  // The lines of the protocol's tables 3.1 to 3.7, written as the client sends them.
  const std::vector<Example> examples = {
      {"GET", "/api/v1/users/auth/user/", Route::kUser, {}},
      {"POST", "/api/v1/users/auth/login/", Route::kLogin, {}},
      {"GET", "/api/v1/devices/", Route::kDevices, {}},
      {"GET", "/api/v1/frameworks/", Route::kFrameworks, {}},
      {"POST", "/api/v1/models/", Route::kCreateModel, {}},
      {"GET", "/api/v1/models/m1/multipart_upload/", Route::kModelUploadPlan, {"m1"}},
      {"POST", "/api/v1/models/m1/multipart_upload/", Route::kModelUploadComplete, {"m1"}},
      {"POST", "/api/v1/models/m1/upload_complete/", Route::kCredentialsComplete, {"m1"}},
      {"PATCH", "/api/v1/models/m1/", Route::kUpdateModel, {"m1"}},
      {"GET", "/api/v1/models/m1/", Route::kModel, {"m1"}},
      {"GET", "/api/v1/models/", Route::kModels, {}},
      {"GET", "/api/v1/models/m1/download/", Route::kModelDownload, {"m1"}},
      {"POST", "/api/v1/datasets/", Route::kCreateDataset, {}},
      {"GET", "/api/v1/datasets/d1/upload_url/", Route::kDatasetUploadPlan, {"d1"}},
      {"PATCH", "/api/v1/datasets/d1/", Route::kUpdateDataset, {"d1"}},
      {"POST", "/api/v1/datasets/d1/upload_complete/", Route::kCredentialsComplete, {"d1"}},
      {"GET", "/api/v1/datasets/d1/", Route::kDataset, {"d1"}},
      {"GET", "/api/v1/datasets/", Route::kDatasets, {}},
      {"GET", "/api/v1/datasets/d1/download_data/", Route::kDatasetDownload, {"d1"}},
      {"POST", "/api/v1/jobs/", Route::kSubmitJob, {}},
      {"GET", "/api/v1/jobs/j1/", Route::kJob, {"j1"}},
      {"PATCH", "/api/v1/jobs/j1/", Route::kUpdateJob, {"j1"}},
      {"GET", "/api/v1/jobs/", Route::kJobs, {}},
      {"GET", "/api/v1/job_summaries/", Route::kJobSummaries, {}},
      {"GET", "/api/v1/jobs/j1/result/", Route::kJobResult, {"j1"}},
      {"GET", "/api/v1/jobs/j1/download_compiled_model/", Route::kCompiledModelDownload, {"j1"}},
      {"GET", "/api/v1/jobs/j1/device_runs/latest/artifact_list/5/", Route::kArtifacts, {"j1", "latest", "5"}},
      {"GET", "/api/v1/jobs/j1/shared_access/", Route::kSharing, {"j1"}},
      {"PATCH", "/api/v1/models/m1/shared_access/", Route::kSharing, {"m1"}},
      {"DELETE", "/api/v1/datasets/d1/shared_access/", Route::kSharing, {"d1"}},
  };
  for (const Example& example : examples) {
    const RouteMatch match = match_route(example.method, example.path);
    EXPECT_EQ(match.kind, Kind::kFound) << example.path;
    EXPECT_EQ(match.route, example.route) << example.path;
    EXPECT_EQ(match.parameters, example.parameters) << example.path;
    EXPECT_EQ(match.project_id, "") << example.path;
    EXPECT_EQ(match.access, example.route == Route::kLogin ? Access::kAnyone : Access::kUserToken) << example.path;
    EXPECT_TRUE(is_api_path(example.path));
  }
}

TEST(Routes, creations_and_lists_take_a_project_prefix) {
  for (const std::string rest : {"models", "datasets", "jobs"}) {
    const RouteMatch match = match_route("POST", "/api/v1/projects/p77/" + rest + "/");
    EXPECT_EQ(match.kind, Kind::kFound) << rest;
    EXPECT_EQ(match.project_id, "p77");
    EXPECT_TRUE(match.parameters.empty());
  }
  EXPECT_EQ(match_route("GET", "/api/v1/projects/p77/job_summaries/").route, Route::kJobSummaries);
  EXPECT_EQ(match_route("GET", "/api/v1/projects/p77/models/").route, Route::kModels);
  EXPECT_EQ(match_route("GET", "/api/v1/projects/p77/devices/").kind, Kind::kNotFound);
}

TEST(Routes, a_trailing_slash_may_be_missing) {
  EXPECT_EQ(match_route("GET", "/api/v1/jobs/j1").route, Route::kJob);
  EXPECT_EQ(match_route("GET", "/").route, Route::kHome);
}

TEST(Routes, another_method_is_refused_with_those_allowed) {
  const RouteMatch match = match_route("DELETE", "/api/v1/models/m1/");
  EXPECT_EQ(match.kind, Kind::kMethodNotAllowed);
  EXPECT_EQ(match.allowed_methods, "GET, HEAD, PATCH, OPTIONS");
  EXPECT_EQ(match_route("OPTIONS", "/api/v1/models/m/").kind, Kind::kOptions);
  EXPECT_EQ(match_route("OPTIONS", "/api/v1/models/m/").allowed_methods, "GET, HEAD, PATCH, OPTIONS");
  EXPECT_EQ(match_route("OPTIONS", "*").kind, Kind::kOptions);
  EXPECT_EQ(match_route("OPTIONS", "/nothing/at/all").kind, Kind::kNotFound);
  EXPECT_EQ(match_route("HEAD", "/api/v1/devices/").route, Route::kDevices);
  EXPECT_EQ(match_route("HEAD", "/agent/v1/lease").kind, Kind::kMethodNotAllowed);
}

TEST(Routes, tricks_with_paths_match_nothing) {
  for (const std::string_view path :
       {"", "x", "//", "/api//v1/devices/", "/api/v1/models/../devices/", "/web/..%2f..%2fetc%2fpasswd", "/web/%2e%2e",
        "/api/v1/models/%00/", "/api/v1/models/%zz/", "/api/v1/models/%4", "/web/a/b", "/assets/upload/u/1/2",
        "/api/v1/models/./"}) {
    EXPECT_EQ(match_route("GET", path).kind, Kind::kNotFound) << path;
  }
}

TEST(Routes, variable_segments_are_decoded_and_plus_stays_plus) {
  EXPECT_EQ(match_route("GET", "/jobs/a%20b+c/").parameters, (std::vector<std::string>{"a b+c"}));
}

TEST(Routes, agents_and_users_need_different_tokens) {
  EXPECT_EQ(match_route("POST", "/agent/v1/lease/").access, Access::kAgentToken);
  EXPECT_EQ(match_route("POST", "/agent/v1/leave/").access, Access::kAgentToken);
  EXPECT_EQ(match_route("POST", "/agent/v1/jobs/j1/complete/").route, Route::kAgentComplete);
  EXPECT_EQ(match_route("GET", "/api/v1/jobs/j1/report/").access, Access::kUserTokenOrCookie);
  EXPECT_EQ(match_route("GET", "/api/v1/models/m1/report/").access, Access::kUserTokenOrCookie);
  EXPECT_EQ(match_route("GET", "/api/v1/datasets/d1/report/").access, Access::kUserTokenOrCookie);
  EXPECT_EQ(match_route("PUT", "/assets/upload/abc/0").access, Access::kLink);
}

TEST(Routes, the_addresses_that_the_client_prints_lead_to_pages) {
  for (const char* list : {"/jobs/", "/models/", "/datasets/"}) {
    EXPECT_EQ(match_route("GET", list).route, Route::kListPage) << list;
  }
  EXPECT_EQ(match_route("GET", "/jobs/j1/").route, Route::kJobPage);
  EXPECT_EQ(match_route("GET", "/models/m1/").route, Route::kModelPage);
  EXPECT_EQ(match_route("GET", "/datasets/d1/").route, Route::kDatasetPage);
}

TEST(RouteName, names_each_route_without_its_path) {
  EXPECT_EQ(route_name(Route::kAssetDownload), "download");
  EXPECT_EQ(route_name(Route::kSubmitJob), "submit job");
}

}  // namespace
}  // namespace slipway::hub::protocol
