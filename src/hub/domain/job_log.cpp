#include "hub/domain/job_log.hpp"

namespace slipway::hub::domain {
namespace {

constexpr std::string_view kLogCut = "\n[hub] the log is longer than the hub keeps; the rest is dropped\n";

}  // namespace

LogPiece next_log_piece(std::size_t total_bytes, std::string_view text) {
  if (text.empty() || total_bytes > kLogLimitBytes) return {.text = {}, .total_bytes = total_bytes};
  if (text.size() <= kLogLimitBytes - total_bytes) {
    return {.text = std::string(text), .total_bytes = total_bytes + text.size()};
  }
  // Cut between characters.
  std::size_t cut = kLogLimitBytes - total_bytes;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80U) --cut;
  return {.text = std::string(text.substr(0, cut)) + std::string(kLogCut), .total_bytes = kLogLimitBytes + 1};
}

}  // namespace slipway::hub::domain
