#include "apps/cli/context.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/interrupt.hpp"
#include "apps/cli/notes.hpp"
#include "apps/cli/progress_bar.hpp"
#include "apps/cli/seekable_input.hpp"
#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "base/output_file.hpp"

namespace slipway::cli {
namespace {

using nlohmann::ordered_json;

/// Names inside a model are bytes of a stranger; what is not UTF-8 is replaced.
std::string line_of(const std::string& schema, const ordered_json& result) {
  ordered_json whole = {{"schema", schema}};
  whole.update(result);
  return with_given_names(whole.dump(-1, ' ', false, ordered_json::error_handler_t::replace), true) + "\n";
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
  verb.add_option_function<std::string>(
          "--json-file", [this](const std::string& file) { json_file_ = file == "-" ? "/dev/stdout" : file; },
          "Write the JSON objects to this file as well")
      ->group("Output");
  verb.add_flag(
          "--quiet",
          [this](std::int64_t count) {
            quiet_ = count > 0;
            if (!quiet_) return;
            ProgressBar::disable();
            silence_notes();
          },
          "Neither tables nor progress: errors, warnings and what --json asks for alone")
      ->group("Output");
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
  base::set_standard_output(::fileno(stream));
  dup2(STDERR_FILENO, STDOUT_FILENO);
}

void Context::add_overwrite_option(CLI::App& verb) {
  verb.add_flag("--overwrite", overwrite_, "Replace files that are there already under the names that outputs get")
      ->group("Output");
}

base::Result<void> Context::check_outputs(const std::vector<std::filesystem::path>& inputs,
                                          std::vector<PlannedOutput> outputs) {
  const auto on_stdout =
      std::ranges::find_if(outputs, [](const PlannedOutput& output) { return is_standard_output(output.path); });
  is_output_on_stdout_ = on_stdout != outputs.end();
  if (is_output_on_stdout_ && (json_ || is_standard_output(json_file_))) {
    return wrong_use({base::Code::kInvalidArgument,
                      fmt::format("{} {} and {} would both go to standard output: give one of them a file",
                                  on_stdout->option, on_stdout->path.string(), json_ ? "--json" : "--json-file")});
  }
  outputs.push_back({.option = "--json-file", .path = json_file_});
  const auto checked = cli::check_outputs(inputs, outputs, overwrite_);
  // What cannot be written for another reason than its name is no fault of the words.
  is_wrong_use_ = !checked && (checked.error().code == base::Code::kInvalidArgument ||
                               checked.error().code == base::Code::kNotFound);
  planned_ = std::move(outputs);
  begin_ = std::filesystem::file_time_type::clock::now();
  set_interrupt_report([planned = planned_, begin = begin_] { return state_of_outputs(planned, begin, {}); });
  return checked;
}

base::Result<void> Context::put(const std::string& text) {
  if (output_error_) return std::unexpected(*output_error_);
  ProgressBar::wipe();
  if (std::fwrite(text.data(), 1, text.size(), out_) == text.size() && std::fflush(out_) == 0) return {};
  const int reason = errno;
  if (reason == EPIPE) {
    output_error_ = base::Error{base::Code::kCancelled, "nobody reads standard output any more"};
    interrupt_with(SIGPIPE);
  } else {
    output_error_ = base::errno_error(reason, "standard output");
    interrupt_with(SIGTERM);
  }
  return std::unexpected(*output_error_);
}

void Context::print(const std::string& text) {
  if (json_ || quiet_) return;
  if (is_output_on_stdout_) return fmt::print(stderr, "{}", with_given_names(text));
  const std::scoped_lock lock(lines_);
  static_cast<void>(put(with_given_names(text)));  // finish() says what went wrong
}

void Context::add_to_first_result(std::string key, ordered_json value) {
  for_first_result_.emplace_back(std::move(key), std::move(value));
}

base::Result<void> Context::emit(const std::string& schema, const ordered_json& result) {
  const std::scoped_lock lock(lines_);
  ordered_json whole = result;
  for (auto& [key, value] : for_first_result_) whole[key] = std::move(value);
  for_first_result_.clear();
  const std::string line = line_of(schema, whole);
  if (json_) SLIPWAY_TRY(put(line));
  if (json_file_.empty()) return {};
  if (!json_output_.is_open()) {
    if (base::is_no_plain_file(json_file_)) {
      // Open to the end: who reads a pipe takes its closing for the end.
      SLIPWAY_ASSIGN(json_stream_, base::OutputFile::create(json_file_));
      json_output_ = base::Descriptor(fcntl(json_stream_->descriptor(), F_DUPFD_CLOEXEC, 3));
    } else {
      SLIPWAY_TRY(base::write_file_durably(json_file_, line));
      json_output_ = base::Descriptor(::open(json_file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
      if (!json_output_.is_open()) return std::unexpected(base::errno_error(errno, json_file_.string()));
      return {};
    }
  }
  return base::write_all(json_output_.get(), line, json_file_.string());
}

void Context::finish(const base::Result<void>& given) {
  base::Result<void> outcome = given;
  const bool is_broken_pipe = output_error_ && output_error_->code == base::Code::kCancelled;
  if (is_broken_pipe) {
    exit_status_ = 128 + SIGPIPE;  // in silence, as programs end that write on
    return;
  }
  if (output_error_) outcome = std::unexpected(*output_error_);
  if (was_interrupted() && !output_error_ && unless_interrupted(outcome)) {
    const int signal = interrupting_signal();
    print_error({base::Code::kCancelled,
                 fmt::format("stopped by {}{}",
                             signal == SIGINT ? std::string("Ctrl-C") : fmt::format("SIG{}", ::sigabbrev_np(signal)),
                             state_of_outputs(planned_, begin_, cut_short_))});
    exit_status_ = 128 + signal;
    return;
  }
  if (outcome) return;
  exit_status_ = is_wrong_use_ ? kWrongUse : exit_status_of(outcome.error().code);
  print_error(outcome.error());
}

void Context::finish_wrong_use(const base::Error& error) {
  exit_status_ = kWrongUse;
  print_error(error);
}

void Context::print_error(const base::Error& error) {
  ProgressBar::wipe();
  fmt::print(stderr, "slipway: {}\n", with_given_names(error.message));
  if (!json_) return;
  const std::scoped_lock lock(lines_);
  static_cast<void>(put(line_of("error/1", {{"code", base::code_name(error.code)}, {"message", error.message}})));
}

}  // namespace slipway::cli
