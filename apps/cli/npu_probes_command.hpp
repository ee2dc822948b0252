#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "apps/cli/context.hpp"
#include "base/error.hpp"

namespace slipway::cli {

/// `slipway doctor --npu-probes`.
struct NpuProbesArguments {
  int soc = 57;  ///< SM8650, of the Galaxy S24
  int htp_arch = 75;
  bool integers_only = false;
  std::string only;             ///< probes whose id holds this
  std::filesystem::path table;  ///< what to compare with; empty: the one that came along
  std::filesystem::path from;   ///< a table whose outcomes are taken in place of running the probes
  std::filesystem::path write_to;
  std::filesystem::path page;
  int seconds_for_a_probe = 20;
  int seconds_in_all = 3600;
};

/// Runs every probe of the NPU's compiler in a process of its own and says what came out otherwise than in the table.
/// Exit status 1 when something did.
/// @error kUnavailable: no QNN here; as read_table()
[[nodiscard]] base::Result<void> run_npu_probes(Context& context, const NpuProbesArguments& arguments);

}  // namespace slipway::cli
