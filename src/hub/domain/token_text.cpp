#include "hub/domain/token_text.hpp"

#include <cstdint>

namespace slipway::hub::domain {
namespace {

constexpr std::string_view kPrefix = "slw_";
constexpr std::size_t kSecretLength = 32, kChecksumLength = 6;
constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// CRC-32 of ISO 3309, bit by bit: 32 characters a token do not ask for a table.
std::uint32_t crc32(std::string_view text) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

std::string checksum(std::string_view secret) {
  std::string text(kChecksumLength, kDigits.front());
  std::uint32_t rest = crc32(secret);
  constexpr auto kBase = static_cast<std::uint32_t>(kDigits.size());
  for (std::size_t i = kChecksumLength; i-- > 0; rest /= kBase) text[i] = kDigits[rest % kBase];
  return text;
}

}  // namespace

std::string token_text(std::string_view secret) {
  return std::string(kPrefix).append(secret).append(checksum(secret));
}

bool is_token_text(std::string_view text) {
  if (text.size() != kPrefix.size() + kSecretLength + kChecksumLength || !text.starts_with(kPrefix)) return false;
  const std::string_view secret = text.substr(kPrefix.size(), kSecretLength);
  return text.find_first_not_of(kDigits, kPrefix.size()) == std::string_view::npos &&
         text.substr(kPrefix.size() + kSecretLength) == checksum(secret);
}

}  // namespace slipway::hub::domain
