#include "apps/hub_server/serve_command.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>

#include <malloc.h>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "apps/hub_server/client_ini.hpp"
#include "apps/hub_server/folder_lock.hpp"
#include "apps/hub_server/stores.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "hub/server/administration.hpp"
#include "hub/server/server.hpp"

namespace slipway::apps::hub_server {
namespace {

namespace fs = std::filesystem;
using hub::domain::Role;
using hub::domain::Scope;
using hub::server::kAdministrator;

constexpr const char* kAgentUser = "agent@localhost";
constexpr std::chrono::milliseconds kStopPatience{1200};
constexpr std::chrono::milliseconds kStopLimit{1900};
constexpr std::uint64_t kSmallFileBytes = 64 * 1024;

base::Result<std::string> new_token(hub::domain::Hub& hub, const char* email, Role role, const char* name,
                                    Scope scope) {
  SLIPWAY_ASSIGN(const hub::domain::User user, hub.accounts.ensure_user(email, role));
  SLIPWAY_ASSIGN(const hub::domain::NewToken token, hub.accounts.create_token(user.id, name, scope));
  return token.text;
}

/// The administrator's client.ini: made once, afterwards only its addresses follow the hub.
base::Result<void> ensure_client_ini(hub::domain::Hub& hub, const fs::path& file, const std::string& url) {
  const auto kept = base::read_file(file, kSmallFileBytes);
  if (kept) {
    const std::string moved = with_url(*kept, url);
    if (moved == *kept) return {};
    const auto written = base::write_file_durably(file, moved, 0600);
    if (written || !written.error().is_about_writing()) return written;
    spdlog::warn("{} still names the former address: {}", file.string(), written.error().message);
    return {};
  }
  if (kept.error().code != base::Code::kNotFound) return std::unexpected(kept.error());
  SLIPWAY_ASSIGN(const std::string token,
                 new_token(hub, kAdministrator, Role::kAdmin, "client.ini of the first start", Scope::kUser));
  return base::write_file_durably(file, new_client_ini(token, url), 0600);
}

base::Result<void> ensure_agent_token(const Stores& stores, const fs::path& file) {
  auto& hub = *stores.hub;
  const auto kept = base::read_file(file, kSmallFileBytes);
  if (kept) {
    const std::string token = kept->substr(0, kept->find_last_not_of(" \t\r\n") + 1);
    const auto known = stores.rows->token_by_hash(base::sha256_hex(token));
    if (known || known.error().code != base::Code::kNotFound) return {};
    return base::fail(base::Code::kFailedPrecondition,
                      "{} holds a token that {} does not know: the database was removed, emptied or exchanged. Put the "
                      "one that belongs to this folder back; or, to begin anew, move agent.token and client.ini away, "
                      "and the hub makes new ones",
                      file.string(), (file.parent_path() / "hub.sqlite").string());
  }
  if (kept.error().code != base::Code::kNotFound) return std::unexpected(kept.error());
  SLIPWAY_ASSIGN(const std::string token, new_token(hub, kAgentUser, Role::kMember, "the local agent", Scope::kAgent));
  return base::write_file_durably(file, token + "\n", 0600);
}

void say_ready(const ServeSettings& settings, const std::string& url) {
  if (settings.json) {
    const nlohmann::ordered_json line{{"schema", "slipway-ready/1"},
                                      {"url", url},
                                      {"client_ini", fs::absolute(settings.data / "client.ini").string()},
                                      {"agent_token", fs::absolute(settings.data / "agent.token").string()}};
    fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("Slipway hub ready at {}\n", url);
  }
  std::fflush(stdout);
}

/// Everything of the hub is durable at any instant, so an end by force loses nothing; it only must not take long.
void force_the_end_later() {
  std::thread([] {
    std::this_thread::sleep_for(kStopLimit);
    spdlog::warn("a request did not end in time; leaving it");
    std::_Exit(0);
  }).detach();
}

}  // namespace

base::Result<ListenAddress> parse_listen_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  ListenAddress address;
  if (colon != std::string::npos) {
    const auto port = base::parse_number<std::uint16_t>(std::string_view(text).substr(colon + 1));
    address.port = port.value_or(0);
    address.host = text.substr(0, colon);
    if (address.host.starts_with('[') && address.host.ends_with(']')) {
      address.host = address.host.substr(1, address.host.size() - 2);
    } else if (address.host.find(':') != std::string::npos) {
      address.host.clear();
    }
    if (address.host == "localhost") address.host = "127.0.0.1";
    if (port && !address.host.empty()) return address;
  }
  return base::fail(base::Code::kInvalidArgument,
                    "--listen: expected ADDRESS:PORT such as 127.0.0.1:8400 or [::1]:8400, found \"{}\"", text);
}

std::string local_url(const ListenAddress& address) {
  std::string host = address.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  return host.find(':') == std::string::npos ? fmt::format("http://{}:{}", host, address.port)
                                             : fmt::format("http://[{}]:{}", host, address.port);
}

base::Result<void> serve(const ServeSettings& settings) {
  SLIPWAY_ASSIGN(ListenAddress address, parse_listen_address(settings.listen));
  std::error_code error;
  const bool is_new = fs::create_directories(settings.data, error);
  if (is_new) fs::permissions(settings.data, fs::perms::owner_all, error);
  if (error) return base::fail(base::Code::kInternal, "make {}: {}", settings.data.string(), error.message());
  SLIPWAY_ASSIGN(const FolderLock lock, FolderLock::acquire(settings.data));

  // Signals are taken by this thread alone; the others are started with them blocked.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  SLIPWAY_ASSIGN(const auto stores, open_stores(settings.data, settings.devices));
  SLIPWAY_ASSIGN(std::string key, hub::server::load_or_make_key(settings.data / "secret", stores->ids));
  const hub::server::SignedLinks links(std::move(key), stores->clock);
  hub::server::ServerSettings server_settings;
  server_settings.address = address.host;
  server_settings.port = address.port;
  hub::server::ServiceSettings service_settings;
  service_settings.public_url = settings.public_url;
  while (service_settings.public_url.ends_with('/')) service_settings.public_url.pop_back();
  if (!address.is_loopback()) {
    spdlog::warn(
        "listening on {}, which others can reach: this hub speaks plain HTTP, so put a reverse proxy with TLS "
        "before it and name it with --public-url",
        settings.listen);
  }
  SLIPWAY_ASSIGN(const auto server, hub::server::Server::start(*stores->hub, links, server_settings, service_settings));
  address.port = server->port();
  const std::string here = local_url(address);
  SLIPWAY_TRY(ensure_client_ini(*stores->hub, settings.data / "client.ini",
                                service_settings.public_url.empty() ? here : service_settings.public_url));
  SLIPWAY_TRY(ensure_agent_token(*stores, settings.data / "agent.token"));
  if (const auto noted = lock.note_address(here.substr(here.find("//") + 2)); !noted) {
    spdlog::warn("commands beside this hub will not find it: {}", noted.error().message);
  }
  say_ready(settings, here);
  ::malloc_trim(0);  // what reading the catalogue and the schema has left

  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("stopping");
  force_the_end_later();
  server->stop(kStopPatience);
  return {};
}

}  // namespace slipway::apps::hub_server
