#include "apps/cli/context.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/descriptor.hpp"
#include "base/files.hpp"

namespace slipway::cli {
namespace {

using nlohmann::ordered_json;

/// Names inside a model are bytes of a stranger; what is not UTF-8 is replaced.
std::string line_of(const std::string& schema, const ordered_json& result) {
  ordered_json whole = {{"schema", schema}};
  whole.update(result);
  return whole.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitStatus exit_status_of(base::Code code) {
  return code == base::Code::kUnavailable ? kNotAvailable : kFailed;
}

Context::Context() : out_(stdout) {}

Context::~Context() {
  std::fflush(out_);
  if (out_ != stdout) std::fclose(out_);
}

void Context::add_output_options(CLI::App& verb) {
  verb.add_flag("--json", json_, "Print one JSON object a line instead of tables")->group("Output");
  verb.add_option("--json-file", json_file_, "Write the JSON object to this file as well")->group("Output");
}

void Context::add_output_options_with_file(CLI::App& verb) {
  constexpr const char* kStandardOutput = "-";
  verb.add_option_function<std::string>(
          "--json",
          [this](const std::string& file) {
            if (file == kStandardOutput) {
              json_ = true;
            } else {
              json_file_ = file;
            }
          },
          "Print one JSON object a line instead of tables, or write them to this file")
      ->expected(0, 1)
      ->default_str(kStandardOutput)
      ->type_name("[FILE]")
      ->group("Output");
  verb.add_option("--json-file", json_file_, "Write the JSON objects to this file as well")->group("Output");
}

void Context::reserve_standard_output() {
  if (out_ != stdout) return;
  std::fflush(stdout);
  base::Descriptor copy(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10));
  if (!copy.is_open()) return;
  std::FILE* const stream = fdopen(copy.get(), "w");
  if (stream == nullptr) return;
  static_cast<void>(copy.release());
  out_ = stream;
  dup2(STDERR_FILENO, STDOUT_FILENO);
}

base::Result<void> Context::check_outputs(const std::vector<std::filesystem::path>& inputs,
                                          std::vector<PlannedOutput> outputs) {
  outputs.push_back({.option = "--json-file", .path = json_file_});
  const auto checked = cli::check_outputs(inputs, outputs);
  is_wrong_use_ = !checked;
  return checked;
}

void Context::print(const std::string& text) {
  if (json_) return;
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

base::Result<void> Context::emit(const std::string& schema, const ordered_json& result) {
  const std::string line = line_of(schema, result);
  if (json_) {
    std::fwrite(line.data(), 1, line.size(), out_);
    std::fflush(out_);
  }
  if (json_file_.empty()) return {};
  if (!std::exchange(has_json_file_, true)) return base::write_file_durably(json_file_, line);
  std::FILE* const file = std::fopen(json_file_.c_str(), "a");
  if (file == nullptr) return std::unexpected(base::errno_error(errno, json_file_.string()));
  const bool is_written = std::fwrite(line.data(), 1, line.size(), file) == line.size();
  if (std::fclose(file) == 0 && is_written) return {};
  return std::unexpected(base::errno_error(errno, json_file_.string()));
}

void Context::finish(const base::Result<void>& outcome) {
  if (outcome) return;
  exit_status_ = is_wrong_use_ ? kWrongUse : exit_status_of(outcome.error().code);
  print_error(outcome.error());
}

void Context::finish_wrong_use(const base::Error& error) {
  exit_status_ = kWrongUse;
  print_error(error);
}

void Context::print_error(const base::Error& error) {
  fmt::print(stderr, "slipway: {}\n", error.message);
  if (!json_) return;
  const std::string line = line_of("error/1", {{"code", base::code_name(error.code)}, {"message", error.message}});
  std::fwrite(line.data(), 1, line.size(), out_);
  std::fflush(out_);
}

}  // namespace slipway::cli
