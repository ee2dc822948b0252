#pragma once

#include <cstdint>
#include <string>

namespace slipway::hub::domain {

/// How far an output of the model that a job made is from the source's.
struct OutputAgreement {
  std::string output;
  double max_abs = 0, relative_max = 0, cosine = 1, psnr_db = 0, snr_db = 0;
  std::uint64_t elements = 0;
  std::uint64_t not_comparable = 0;  ///< NaN or infinite on one side only; in none of the figures
  std::uint64_t source_nan = 0;      ///< NaN in the source itself; in none of the figures either
  double equal_share = 1;            ///< part of the elements that are equal
  bool is_exact = false;             ///< integers and truth values: only the equal share says something
  std::string alarm = {};            ///< why it does not agree; empty: it does
};

}  // namespace slipway::hub::domain
