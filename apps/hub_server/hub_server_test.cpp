// The program as its users see it: processes, files, exit statuses; and the official client against it.
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "apps/hub_server/client_ini.hpp"
#include "apps/hub_server/serve_command.hpp"
#include "base/child_process.hpp"
#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "base/testing/sockets.hpp"

namespace slipway::apps::hub_server {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::steady_clock;

const fs::path kSource = SLIPWAY_SOURCE_DIR;
const fs::path kClient = kSource / ".deps/venv/bin/qai-hub";
const fs::path kPython = kSource / ".deps/venv/bin/python";

/// A child process whose standard output can be read line by line; standard error goes to a file.
class RunningProgram {
 public:
  /// @param more  variables of its environment, beside ours
  RunningProgram(const std::vector<std::string>& arguments, const fs::path& errors,
                 const std::vector<std::string>& more = {}) {
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
    environment.insert(environment.end(), more.begin(), more.end());
    base::Pipe output = base::make_pipe().value();
    const base::Descriptor said(::open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    base::Program program;
    program.path = arguments[0];
    program.arguments = arguments;
    program.environment = std::move(environment);
    program.descriptors = {{output.write.get(), STDOUT_FILENO}, {said.get(), STDERR_FILENO}};
    process_ = base::start_program(std::move(program)).value();
    output_ = std::move(output.read);
  }
  ~RunningProgram() {
    if (process_ < 0) return;
    send(SIGKILL);
    base::wait_for(process_);
  }
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  /// The next line of standard output, or "" when there is none within ten seconds.
  std::string line() {
    while (buffer_.find('\n') == std::string::npos && read_more()) {
    }
    const std::string text = buffer_.substr(0, buffer_.find('\n'));
    buffer_.erase(0, text.size() + 1);
    return text;
  }

  /// Everything that is still to come on standard output, and the exit status.
  std::pair<std::string, int> rest() {
    while (read_more()) {
    }
    const base::ProcessEnd end = base::wait_for(std::exchange(process_, -1));
    return {buffer_, end.signal == 0 ? end.status : 128 + end.signal};
  }

  void send(int signal) const { ::kill(process_, signal); }

  /// Resident memory in KiB.
  [[nodiscard]] long resident_kib() const {
    std::ifstream status("/proc/" + std::to_string(process_) + "/status");
    for (std::string text; std::getline(status, text);) {
      if (text.starts_with("VmRSS:")) return std::stol(text.substr(6));
    }
    return -1;
  }

 private:
  bool read_more() { return base::testing::read_more(output_, buffer_, 60'000); }

  pid_t process_ = -1;
  base::Descriptor output_;
  std::string buffer_;
};

class HubServer : public ::testing::Test {
 protected:
  fs::path data() const { return folder_.path() / "data"; }
  fs::path errors() const { return folder_.path() / "errors"; }
  std::vector<std::string> serve(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {SLIPWAY_HUB, "serve", "--data", data().string(), "--listen", "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::pair<std::string, int> run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), SLIPWAY_HUB);
    return RunningProgram(arguments, errors()).rest();
  }
  std::string said_on_errors() const { return base::read_file(errors(), 1 << 20).value_or(""); }
  static std::string text_of(const fs::path& file) { return base::read_file(file, 1 << 20).value_or(""); }
  static unsigned mode_of(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-hub-app").value();
};

TEST_F(HubServer, first_start_makes_an_administrator_and_says_one_line_when_ready) {
  RunningProgram hub(serve(), errors());
  const std::string ready = hub.line();
  ASSERT_TRUE(ready.starts_with("Slipway hub ready at http://127.0.0.1:")) << ready << said_on_errors();
  const std::string url = ready.substr(std::string("Slipway hub ready at ").size());
  const std::string ini = text_of(data() / "client.ini");
  EXPECT_NE(ini.find("api_url = " + url + "\n"), std::string::npos) << ini;
  EXPECT_NE(ini.find("web_url = " + url + "\n"), std::string::npos);
  EXPECT_TRUE(ini.starts_with("[api]\n"));
  for (const char* name : {"client.ini", "agent.token", "secret"}) EXPECT_EQ(mode_of(data() / name), 0600U) << name;
  EXPECT_EQ(mode_of(data()), 0700U);
  EXPECT_LT(hub.resident_kib(), 60 * 1024);

  const auto begin = steady_clock::now();
  hub.send(SIGTERM);
  const auto [output, status] = hub.rest();
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_EQ(status, 0);
  EXPECT_EQ(output, "") << "standard output holds the ready line alone";
}

TEST_F(HubServer, a_later_start_keeps_the_tokens_and_follows_the_address) {
  {
    RunningProgram hub(serve(), errors());
    hub.line();
    hub.send(SIGINT);
    EXPECT_EQ(hub.rest().second, 0);
  }
  const std::string before = text_of(data() / "client.ini");
  const std::string agent = text_of(data() / "agent.token");
  RunningProgram hub(serve({"--public-url", "https://hub.example/"}), errors());
  hub.line();
  const std::string after = text_of(data() / "client.ini");
  EXPECT_EQ(token_in(after), token_in(before));
  EXPECT_EQ(text_of(data() / "agent.token"), agent);
  EXPECT_NE(after.find("api_url = https://hub.example\n"), std::string::npos) << after;
}

TEST_F(HubServer, ready_can_be_said_as_json) {
  RunningProgram hub(serve({"--json"}), errors());
  const json ready = json::parse(hub.line());
  EXPECT_EQ(ready["schema"], "slipway-ready/1");
  EXPECT_TRUE(ready["url"].get<std::string>().starts_with("http://127.0.0.1:"));
  EXPECT_TRUE(fs::exists(ready["client_ini"].get<std::string>()));
}

TEST_F(HubServer, a_second_server_on_the_same_data_is_refused_in_words) {
  RunningProgram hub(serve(), errors());
  hub.line();
  const auto [output, status] = run({"serve", "--data", data().string(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(status, 3);
  EXPECT_EQ(output, "");
  EXPECT_NE(said_on_errors().find("in use by another slipway-hub"), std::string::npos) << said_on_errors();
}

TEST_F(HubServer, a_killed_server_starts_again) {
  {
    RunningProgram hub(serve(), errors());
    hub.line();
    hub.send(SIGKILL);
    EXPECT_EQ(hub.rest().second, 128 + SIGKILL);
  }
  RunningProgram hub(serve(), errors());
  EXPECT_TRUE(hub.line().starts_with("Slipway hub ready")) << said_on_errors();
}

TEST_F(HubServer, wrong_use_is_told_with_status_2) {
  EXPECT_EQ(run({"serve", "--data", data().string(), "--listen", "nowhere"}).second, 2);
  EXPECT_NE(said_on_errors().find("ADDRESS:PORT"), std::string::npos);
  EXPECT_EQ(run({"serve"}).second, 2);
  EXPECT_EQ(run({"brew"}).second, 2);
  EXPECT_EQ(run({"--version"}).second, 0);
}

TEST_F(HubServer, collects_beside_a_running_hub_and_without_one_and_only_what_is_old) {
  const std::string folder = data().string();
  EXPECT_EQ(run({"collect", "--data", (folder_.path() / "empty").string()}).second, 1);
  const auto loose = [&](char letter) {
    const fs::path file = data() / "blobs" / "ab" / std::string(62, letter);
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "loose";
    return file;
  };
  const auto make_old = [](const fs::path& file) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(49));
  };
  fs::path file;
  {
    RunningProgram hub(serve(), folder_.path() / "errors of the hub");
    hub.line();
    file = loose('c');
    EXPECT_EQ(json::parse(run({"collect", "--data", folder, "--json"}).first)["files"], 0) << "it has just come";
    make_old(file);
    EXPECT_EQ(run({"collect", "--data", folder}).first, "Removed 1 file with 5 bytes that nothing refers to.\n");
    EXPECT_FALSE(fs::exists(file));
    hub.send(SIGTERM);
    hub.rest();
  }
  file = loose('d');
  make_old(file);
  const json would = json::parse(run({"collect", "--data", folder, "--dry-run", "--json"}).first);
  EXPECT_EQ(would["files"], 1);
  EXPECT_EQ(would["size_bytes"], 5);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(run({"collect", "--data", folder}).first, "Removed 1 file with 5 bytes that nothing refers to.\n");
  EXPECT_FALSE(fs::exists(file));
}

// The token matters beside a running hub alone, so this shows which way the command went.
TEST_F(HubServer, commands_ask_the_hub_that_runs_and_open_the_folder_only_when_none_does) {
  const std::string folder = data().string();
  {
    RunningProgram hub(serve(), folder_.path() / "errors of the hub");
    hub.line();
    EXPECT_EQ(run({"token", "revoke", "client.ini of the first start", "--data", folder}).second, 0)
        << said_on_errors();
    EXPECT_EQ(run({"token", "list", "--data", folder}).second, 1);
    EXPECT_NE(said_on_errors().find("does not take the token of its client.ini"), std::string::npos)
        << said_on_errors();
    hub.send(SIGTERM);
    hub.rest();
  }
  EXPECT_EQ(run({"token", "list", "--data", folder}).second, 0) << said_on_errors();
}

TEST_F(HubServer, says_what_to_do_when_the_database_is_not_the_one_of_the_folder) {
  {
    RunningProgram hub(serve(), errors());
    hub.line();
    hub.send(SIGTERM);
    hub.rest();
  }
  fs::remove(data() / "hub.sqlite");
  EXPECT_EQ(RunningProgram(serve(), errors()).rest().second, 1);
  EXPECT_NE(said_on_errors().find("move agent.token and client.ini away"), std::string::npos) << said_on_errors();
  fs::remove(data() / "agent.token");
  fs::remove(data() / "client.ini");
  RunningProgram hub(serve(), errors());
  EXPECT_TRUE(hub.line().starts_with("Slipway hub ready")) << said_on_errors();
}

TEST_F(HubServer, tokens_are_made_listed_and_revoked_beside_a_running_hub) {
  RunningProgram hub(serve(), errors());
  hub.line();
  const std::string folder = data().string();
  const auto [made, made_status] =
      run({"token", "create", "--data", folder, "--name", "laptop", "--user", "ada@example.org", "--json"});
  ASSERT_EQ(made_status, 0) << said_on_errors();
  const json token = json::parse(made);
  EXPECT_TRUE(token["token"].get<std::string>().starts_with("slw_"));
  const auto [list, list_status] = run({"token", "list", "--data", folder});
  EXPECT_EQ(list_status, 0);
  EXPECT_NE(list.find("laptop"), std::string::npos);
  EXPECT_EQ(list.find("slw_"), std::string::npos) << "a token's text is shown once only";
  EXPECT_EQ(run({"token", "revoke", "laptop", "--data", folder}).second, 0);
  const auto [after, after_status] = run({"token", "list", "--data", folder, "--user", "ada@example.org", "--json"});
  EXPECT_FALSE(json::parse(after)["revoked"].is_null());
  EXPECT_EQ(run({"token", "revoke", "nothing", "--data", folder}).second, 1);
  EXPECT_EQ(run({"token", "list", "--data", (folder_.path() / "empty").string()}).second, 1);
}

TEST_F(HubServer, the_official_client_lists_uploads_and_gets_its_bytes_back) {
  if (!fs::exists(kClient)) GTEST_SKIP() << "the official client is not set up (" << kClient << ")";
  RunningProgram hub(serve(), errors());
  hub.line();
  const std::string ini = "QAIHUB_CLIENT_INI=" + (data() / "client.ini").string();
  const auto [devices, devices_status] = RunningProgram({kClient.string(), "list-devices"}, errors(), {ini}).rest();
  EXPECT_EQ(devices_status, 0) << said_on_errors();
  EXPECT_NE(devices.find("Samsung Galaxy S24"), std::string::npos);

  const auto [output, status] =
      RunningProgram(
          {kPython.string(), (kSource / "apps/hub_server/client_round_trip.py").string(), folder_.path().string()},
          errors(), {ini})
          .rest();
  EXPECT_EQ(status, 0) << output << said_on_errors();
}

TEST(ClientIni, a_new_address_changes_nothing_else) {
  const std::string ini =
      "# mine\n[api]\napi_token = slw_x\napi_url=http://old\nweb_url : http://old\n"
      "api_url_note = keep\nverbose = False\n";
  EXPECT_EQ(with_url(ini, "http://new"),
            "# mine\n[api]\napi_token = slw_x\napi_url = http://new\nweb_url = http://new\n"
            "api_url_note = keep\nverbose = False\n");
  EXPECT_EQ(token_in(ini), "slw_x");
  EXPECT_EQ(token_in("[api]\napi_token=slw_y \n"), "slw_y");
  EXPECT_EQ(token_in("[api]\n"), "");
  const std::string fresh = new_client_ini("slw_x", "http://here");
  EXPECT_EQ(with_url(fresh, "http://here"), fresh);
}

TEST(ListenAddress, takes_addresses_of_both_kinds_and_knows_the_loopback) {
  EXPECT_TRUE(parse_listen_address("127.0.0.1:8400")->is_loopback());
  EXPECT_EQ(parse_listen_address("localhost:0")->host, "127.0.0.1");
  EXPECT_EQ(parse_listen_address("[::1]:80")->host, "::1");
  EXPECT_FALSE(parse_listen_address("0.0.0.0:8400")->is_loopback());
  EXPECT_EQ(local_url({.host = "0.0.0.0", .port = 1}), "http://127.0.0.1:1");
  EXPECT_EQ(local_url({.host = "::1", .port = 1}), "http://[::1]:1");
  for (const char* text :
       {"", "8400", ":8400", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1:80"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

}  // namespace
}  // namespace slipway::apps::hub_server
