#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hub/protocol/query.hpp"
#include "hub/protocol/wire_text.hpp"
#include "hub/server/internal/handlers.hpp"
#include "hub/server/internal/web_files.hpp"
#include "hub/server/origin.hpp"

namespace slipway::hub::server::internal {
namespace {

constexpr std::string_view kCookie = "slipway_session";
constexpr std::size_t kSessionSeconds = 7UL * 24 * 3600;

/// Nothing from elsewhere, no inline script: names on the pages are strangers' text.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'";

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "text/html; charset=utf-8";
}

std::string_view file_named(std::string_view name) {
  for (const WebFile& file : web_files()) {
    if (file.name == name) return file.content;
  }
  return {};
}

Response page(std::string content, int status = 200) {
  Response response;
  response.status = status;
  response.content_type = type_of(".html");
  response.headers = {{"Content-Security-Policy", std::string(kPolicy)},
                      {"Referrer-Policy", "same-origin"},
                      {"X-Frame-Options", "DENY"},
                      {"Cache-Control", "no-store"}};
  response.body = std::move(content);
  return response;
}

Response redirect(std::string target) {
  Response response;
  response.status = 303;
  response.content_type = "text/plain";
  response.headers = {{"Location", std::move(target)}, {"Cache-Control", "no-store"}};
  return response;
}

std::string html_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

void replace(std::string& text, std::string_view mark, std::string_view by) {
  const std::size_t at = text.find(mark);
  if (at != std::string::npos) text.replace(at, mark.size(), by);
}

/// A path of this hub to return to after signing in: never an address elsewhere.
std::string safe_target(const std::string& wanted) {
  const bool is_path = wanted.size() < 512 && wanted.starts_with('/') && !wanted.starts_with("//");
  const bool is_plain =
      std::ranges::all_of(wanted, [](char c) { return c > ' ' && c < '\x7f' && c != '\\' && c != '"'; });
  return is_path && is_plain ? wanted : "/jobs/";
}

bool is_signed_in(const Context& context, const Call& call, domain::Actor* actor = nullptr) {
  const std::string cookie = session_cookie(call.request.cookie);
  if (cookie.empty()) return false;
  auto outcome = context.hub.accounts.authenticate_web_session(cookie);
  if (outcome && actor != nullptr) *actor = std::move(*outcome);
  return outcome.has_value();
}

Response to_sign_in(const Call& call) {
  return redirect("/sign-in/?next=" + protocol::percent_encoded(safe_target(call.request.path)));
}

/// Whether a form came from a page of this hub: the one that others reach, or the one that was asked directly. Browsers
/// send Origin with every form; other programs need not.
bool is_own_form(const Call& call) {
  if (call.request.origin.empty()) return true;
  const auto origin = origin_of(call.request.origin);
  return origin && (origin == origin_of(call.base_url) || origin == origin_of("http://" + call.request.host));
}

Response sign_in_form(const std::string& next, std::string_view message, int status) {
  std::string content(file_named("sign_in.html"));
  replace(content, "<!--next-->", html_escaped(safe_target(next)));
  replace(content, "<!--message-->", html_escaped(message));
  return page(std::move(content), status);
}

std::string cookie_header(const Context& context, std::string_view value, std::size_t seconds) {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", kCookie, value, seconds,
                     context.settings.public_url.starts_with("https://") ? "; Secure" : "");
}

}  // namespace

std::string session_cookie(std::string_view header) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    std::string_view pair = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(kCookie) && pair.substr(kCookie.size()).starts_with('=')) {
      return std::string(pair.substr(kCookie.size() + 1));
    }
  }
  return {};
}

std::string too_many_failures(std::chrono::seconds wait) {
  return fmt::format(
      "That token is not valid, and neither were many before it: try again in {} s. A valid token is let in at once.",
      wait.count());
}

Response not_found_page() {
  return page(std::string(file_named("not_found.html")), 404);
}

Reply home(const Context&, const Call&) {
  return redirect("/jobs/");
}

Reply list_page(const Context& context, const Call& call) {
  if (!is_signed_in(context, call)) return to_sign_in(call);
  return page(std::string(file_named("list.html")));
}

Reply job_page(const Context& context, const Call& call) {
  domain::Actor actor;
  if (!is_signed_in(context, call, &actor)) return to_sign_in(call);
  SLIPWAY_TRY(context.hub.jobs.job(actor, call.match.parameters.at(0)));
  return page(std::string(file_named("job.html")));
}

Reply model_page(const Context& context, const Call& call) {
  domain::Actor actor;
  if (!is_signed_in(context, call, &actor)) return to_sign_in(call);
  SLIPWAY_TRY(context.hub.contents.model(actor, call.match.parameters.at(0)));
  return page(std::string(file_named("content.html")));
}

Reply dataset_page(const Context& context, const Call& call) {
  domain::Actor actor;
  if (!is_signed_in(context, call, &actor)) return to_sign_in(call);
  SLIPWAY_TRY(context.hub.contents.dataset(actor, call.match.parameters.at(0)));
  return page(std::string(file_named("content.html")));
}

Reply sign_in_page(const Context&, const Call& call) {
  return sign_in_form(call.query.first("next"),
                      call.query.has("failed") ? "That token is not valid. Look for api_token in your client.ini." : "",
                      200);
}

Reply sign_in(const Context& context, const Call& call) {
  if (!is_own_form(call)) {
    return base::fail(base::Code::kPermissionDenied, "this form was sent from another site");
  }
  SLIPWAY_ASSIGN(const protocol::Query form, protocol::Query::parse(call.request.body));
  const std::string target = safe_target(form.first("next"));
  std::string token = form.first("token");
  std::erase_if(token, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  const auto cookie = context.hub.accounts.sign_in(token);
  if (!cookie) {
    if (cookie.error().code != base::Code::kUnauthenticated) return std::unexpected(cookie.error());
    if (const auto wait =
            context.failed_sign_ins.note_failure(call.request.remote_address, context.hub.clock().instant())) {
      Response response = sign_in_form(target, too_many_failures(*wait), 429);
      response.headers.emplace_back("Retry-After", std::to_string(wait->count()));
      return response;
    }
    return redirect("/sign-in/?failed=1&next=" + protocol::percent_encoded(target));
  }
  Response response = redirect(target);
  response.headers.emplace_back("Set-Cookie", cookie_header(context, *cookie, kSessionSeconds));
  return response;
}

Reply sign_out(const Context& context, const Call& call) {
  if (!is_own_form(call)) {
    return base::fail(base::Code::kPermissionDenied, "this form was sent from another site");
  }
  const std::string cookie = session_cookie(call.request.cookie);
  if (!cookie.empty()) context.hub.accounts.sign_out(cookie);
  Response response = redirect("/sign-in/");
  response.headers.emplace_back("Set-Cookie", cookie_header(context, "", 0));
  return response;
}

Reply web_file(const Context&, const Call& call) {
  const std::string& name = call.match.parameters.at(0);
  const std::string_view content = name.ends_with(".html") ? std::string_view() : file_named(name);
  if (content.empty()) return base::fail(base::Code::kNotFound, "there is no such file");
  Response response;
  response.content_type = type_of(name);
  response.headers = {{"Cache-Control", "no-cache"}};
  response.body = content;
  return response;
}

Reply health(const Context& context, const Call&) {
  const auto troubles = context.health.troubles(context.hub.now());
  nlohmann::ordered_json said{{"ok", troubles.empty()},
                              {"status", troubles.empty() ? "ok" : "degraded"},
                              {"version", context.hub.settings().hub_version}};
  for (const Health::Trouble& trouble : troubles) {
    said["degraded"].push_back({{"part", trouble.part},
                                {"reason", protocol::wire_text(trouble.reason)},
                                {"since", base::iso8601(trouble.since)},
                                {"last", base::iso8601(trouble.last)},
                                {"failures", trouble.failures}});
  }
  return json(said.dump());
}

}  // namespace slipway::hub::server::internal
