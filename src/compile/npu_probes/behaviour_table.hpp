#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "compile/npu_probes/run_probe.hpp"

namespace slipway::compile::npu_probes {

/// How one probe came out.
struct Behaviour {
  std::string operator_name, kind, shape;
  Outcome outcome;
  [[nodiscard]] std::string id() const;  ///< as Probe::id()
};

/// How a release of Qualcomm's compiler behaved for a chip, probe by probe.
struct BehaviourTable {
  std::string qairt_version, onnxruntime_version;
  std::string chip;  ///< "SM8650 (HTP v75)"
  bool is_emulated = true;
  std::vector<Behaviour> rows;
};

/// @error kNotFound; kInvalidArgument: not such a table
[[nodiscard]] base::Result<BehaviourTable> read_table(const std::filesystem::path& path);
/// One probe a line, so that a change reads as one in a diff.
[[nodiscard]] base::Result<void> write_table(const BehaviourTable& table, const std::filesystem::path& path);

struct Change {
  std::string id, before, now;
};
/// Probes of both tables whose verdict is another.
[[nodiscard]] std::vector<Change> changes(const BehaviourTable& before, const BehaviourTable& now);

/// docs/npu-operators.md: operators by kinds of elements, and in full what does not work.
[[nodiscard]] std::string page(const BehaviourTable& table);

}  // namespace slipway::compile::npu_probes
