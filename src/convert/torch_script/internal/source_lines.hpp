#pragma once

#include <string>
#include <vector>

#include "convert/archive/zip_archive.hpp"
#include "convert/torch_script/internal/syntax.hpp"

namespace slipway::convert::torch_script::internal {

/// Where in the model's own source each line of a file of the code comes from: "net.py:40: forward" of a trace,
/// "net.py:107: if bool(x.sum() > 0):" of a script, "" where it is not said. PyTorch writes it into FILE.debug_pkl,
/// which is for messages alone: one that is missing, damaged or larger than any of PyTorch's gives nothing and no
/// error.
/// @param lines  of the code
/// @return       as many as there are lines, or none
[[nodiscard]] std::vector<std::string> origins_of(const archive::ZipArchive& archive, const std::string& file,
                                                  const std::vector<std::string>& lines);

}  // namespace slipway::convert::torch_script::internal
