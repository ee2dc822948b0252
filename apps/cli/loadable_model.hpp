#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "compile/compile.hpp"

namespace slipway::cli {

/// A model in a form that loads: the ONNX file that was named, or what an archive of PyTorch was converted to, in a
/// folder that is removed with the object.
class LoadableModel {
 public:
  /// @param specs  of an archive's inputs; those of an ONNX file are left to others
  /// @error as convert::convert
  [[nodiscard]] static base::Result<LoadableModel> of(const std::filesystem::path& file,
                                                      const std::vector<compile::InputSpec>& specs);

  [[nodiscard]] const std::filesystem::path& onnx() const { return onnx_; }
  /// "converted from TorchScript: …", for people; "" when nothing was.
  [[nodiscard]] const std::string& remark() const { return remark_; }
  /// Says in a verb's result, and on standard error, that the model was converted.
  void add_to(nlohmann::ordered_json& result) const;

 private:
  std::filesystem::path onnx_;
  std::string remark_;
  std::optional<base::TemporaryFolder> folder_;
};

}  // namespace slipway::cli
