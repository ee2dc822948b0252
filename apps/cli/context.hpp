#pragma once

#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

#include "apps/cli/output_guard.hpp"
#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/output_file.hpp"

namespace slipway::cli {

/// What the shell sees.
enum ExitStatus { kDone = 0, kFailed = 1, kWrongUse = 2, kNotAvailable = 3 };

/// kNotAvailable for what this machine lacks, kFailed for every other error.
[[nodiscard]] ExitStatus exit_status_of(base::Code code);

/// What all verbs share: where results go and what the exit status will be. People's tables and machines' JSON go to
/// standard output, everything else to standard error.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Adds --json, --json-file and --quiet to a verb.
  void add_output_options(CLI::App& verb);

  /// Neither tables nor progress nor notes: errors, warnings and JSON alone.
  [[nodiscard]] bool is_quiet() const { return quiet_; }

  /// Whether standard output is for programs (--json).
  [[nodiscard]] bool is_json() const { return json_; }

  /// From here on only print() and emit() reach standard output; what libraries print goes to standard error. For verbs
  /// that load ONNX Runtime; not for those that start another program in their place.
  void reserve_standard_output();

  /// Adds --overwrite, for verbs that give files their names themselves.
  void add_overwrite_option(CLI::App& verb);

  /// Refuses outputs, --json-file among them, that are inputs or each other, or that cannot be written
  /// (output_guard.hpp). Called before anything runs; the verb then ends as wrong use.
  [[nodiscard]] base::Result<void> check_outputs(const std::vector<std::filesystem::path>& inputs,
                                                 std::vector<PlannedOutput> outputs);

  /// Notes that an output is whole but ends early, because the run was stopped.
  void note_cut_short(const std::filesystem::path& output) { cut_short_.push_back(output); }

  /// Text for people; nothing with --json or --quiet. On standard error when an output of the verb is standard output.
  /// @thread any
  void print(const std::string& text);

  /// One result: a line with --json, a line of --json-file. `schema` ("name/1") becomes its first key.
  /// @error kResourceExhausted, kPermissionDenied …: the file cannot be written
  /// @thread any
  [[nodiscard]] base::Result<void> emit(const std::string& schema, const nlohmann::ordered_json& result);

  /// A value that the next result carries besides its own, which is the first one's as long as none was given out.
  void add_to_first_result(std::string key, nlohmann::ordered_json value);

  /// Ends a verb: prints its error, if any, and sets the exit status. Of a run that was stopped by a signal it says
  /// what is complete.
  void finish(const base::Result<void>& outcome);

  /// An error that makes finish() end as wrong use.
  [[nodiscard]] std::unexpected<base::Error> wrong_use(base::Error error) {
    is_wrong_use_ = true;
    return std::unexpected(std::move(error));
  }

  /// The same for what the user asked wrongly: exit status 2.
  void finish_wrong_use(const base::Error& error);

  [[nodiscard]] int exit_status() const { return exit_status_; }
  void set_exit_status(int status) { exit_status_ = status; }

 private:
  void print_error(const base::Error& error);
  /// @pre lines_ is locked
  /// @error as base::errno_error; kCancelled: nobody reads on
  [[nodiscard]] base::Result<void> put(const std::string& text);

  std::mutex lines_;  ///< held while one is written, and over what says how that went
  std::vector<std::pair<std::string, nlohmann::ordered_json>> for_first_result_;
  bool json_ = false, quiet_ = false;
  std::filesystem::path json_file_;
  std::optional<base::OutputFile> json_stream_;  ///< --json-file that is no plain file
  base::Descriptor json_output_;                 ///< --json-file, once this run has begun it
  bool overwrite_ = false;
  bool is_wrong_use_ = false;                ///< an output was refused
  bool is_output_on_stdout_ = false;         ///< a file's bytes go to standard output: words for people do not
  std::optional<base::Error> output_error_;  ///< of standard output
  std::vector<PlannedOutput> planned_;
  std::filesystem::file_time_type begin_;  ///< when the outputs were checked
  std::vector<std::filesystem::path> cut_short_;
  int exit_status_ = kDone;
  std::FILE* out_;  ///< standard output, or the copy of it that we kept for ourselves
};

}  // namespace slipway::cli
