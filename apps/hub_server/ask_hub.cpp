#include "apps/hub_server/ask_hub.hpp"

#include "apps/hub_server/client_ini.hpp"
#include "apps/hub_server/folder_lock.hpp"
#include "apps/hub_server/serve_command.hpp"
#include "apps/hub_server/stores.hpp"
#include "base/files.hpp"
#include "hub/protocol/routes.hpp"
#include "hub/server/administration.hpp"
#include "hub/server/local_request.hpp"

namespace slipway::apps::hub_server {
namespace {

namespace fs = std::filesystem;
using base::Code;
using nlohmann::ordered_json;

base::Error error_of(const hub::server::LocalReply& reply, const fs::path& data) {
  const auto json = ordered_json::parse(reply.body, nullptr, false);
  const std::string detail = json.is_object() ? json.value("detail", std::string()) : std::string();
  switch (reply.status) {
    case 401:
    case 403:
      return {Code::kUnauthenticated,
              fmt::format("the hub that has {} does not take the token of its client.ini as an administrator's; stop "
                          "that hub, and the command works on the folder itself",
                          data.string())};
    case 404:
    case 405:
      return {Code::kUnavailable,
              fmt::format("the hub that has {} is of another version than this program: use the slipway-hub that it "
                          "was started from, or stop it",
                          data.string())};
    case 400:
      return {Code::kInvalidArgument, detail};
    default:
      return {Code::kUnavailable,
              fmt::format("the hub that has {} answered {}: {}", data.string(), reply.status, detail)};
  }
}

base::Result<std::string> ask_the_server(const fs::path& data, const std::string& method, const std::string& path,
                                         const std::string& body) {
  const std::string address = FolderLock::address_in(data);
  const auto where = parse_listen_address(address);
  if (!where) {
    return base::fail(Code::kUnavailable,
                      "{} is in use by a slipway-hub that does not say where it can be reached: it is starting or "
                      "ending, or of another version. Try again, or stop it",
                      data.string());
  }
  SLIPWAY_ASSIGN(const std::string ini, base::read_file(data / "client.ini", 64 * 1024));
  SLIPWAY_ASSIGN(const auto reply,
                 hub::server::send_local_request(where->host, where->port, method, path, token_in(ini), body));
  if (reply.status != 200) return std::unexpected(error_of(reply, data));
  return reply.body;
}

}  // namespace

base::Result<ordered_json> ask_hub(const fs::path& data, const std::string& method, const std::string& path,
                                   const ordered_json& body) {
  const std::string text = body.is_null() ? "" : body.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  SLIPWAY_TRY(require_hub(data));
  base::Result<std::string> answer;
  const auto lock = FolderLock::acquire(data);
  if (!lock && lock.error().code == Code::kUnavailable) {
    answer = ask_the_server(data, method, path, text);
  } else if (!lock) {
    return std::unexpected(lock.error());
  } else {
    SLIPWAY_ASSIGN(const auto stores, open_stores(data, {}));
    answer = hub::server::administer(*stores->hub, hub::protocol::match_route(method, path), text);
  }
  if (!answer) return std::unexpected(answer.error());
  auto json = ordered_json::parse(*answer, nullptr, false);
  if (!json.is_object()) return base::fail(Code::kInternal, "the hub's answer is no JSON object");
  return json;
}

}  // namespace slipway::apps::hub_server
