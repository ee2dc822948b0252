#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace slipway::cli {

/// A file that a run will write, or a folder that it will fill.
struct PlannedOutput {
  std::string option;  ///< that names it: "--output"
  std::filesystem::path path;
  bool is_folder = false;
  bool makes_folder = false;    ///< the folder that a file is to be in is made when it is not there
  bool is_named = true;         ///< by the user; else its name follows from an input's, or from the option's
  bool is_alternative = false;  ///< written instead of another, or not at all
};

/// Refuses outputs that would take away what the run reads: an output that is an input, a file that an input model
/// reads beside itself, or another output, and a folder to be filled that is also a folder of inputs. Files are told
/// apart by device and inode, so links and other spellings are seen through; one that does not exist yet is known by
/// its folder. Streams and devices may be named twice. What is there already and was not named itself stays, unless
/// that is asked for.
///
/// Then tries whether each can be written: its folder is there and takes files, and no folder has its name.
/// @param inputs     files, and folders whose files are read; empty paths and "-" are passed over
/// @param overwrite  what is there already may be replaced
/// @error kInvalidArgument: names both; as base::errno_error: cannot be written
[[nodiscard]] base::Result<void> check_outputs(const std::vector<std::filesystem::path>& inputs,
                                               const std::vector<PlannedOutput>& outputs, bool overwrite = false);

/// Whether this is a name of the descriptor that results are printed to: /dev/stdout, /dev/fd/1 …
[[nodiscard]] bool is_standard_output(const std::filesystem::path& path);

/// Which of the planned files are there, whole, and which are not: "; complete: a.png; not written: b.png". Files
/// appear when they are whole, so what was there before the run began is told from what it made by its time.
/// @param cut_short  files that are whole and end early
[[nodiscard]] std::string state_of_outputs(const std::vector<PlannedOutput>& outputs,
                                           std::filesystem::file_time_type begin,
                                           const std::vector<std::filesystem::path>& cut_short);

/// What a run over named inputs reads: its models and the inputs.
[[nodiscard]] std::vector<std::filesystem::path> files_read(std::vector<std::filesystem::path> models,
                                                            const std::vector<std::string>& inputs);

}  // namespace slipway::cli
