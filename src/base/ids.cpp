#include "base/ids.hpp"

#include <array>

#include <sys/random.h>

#include "base/error.hpp"

namespace slipway::base {
namespace {

std::string random_characters(std::string_view alphabet, std::size_t length) {
  std::string text;
  text.reserve(length);
  // Bytes at or above the largest multiple of the alphabet's size are thrown away, so every character is as likely.
  const unsigned limit = 256U - 256U % static_cast<unsigned>(alphabet.size());
  while (text.size() < length) {
    std::array<unsigned char, 64> bytes{};
    // Up to 256 bytes come whole, and no signal cuts them short.
    SLIPWAY_CHECK(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
                  "the system has randomness");
    for (const unsigned char byte : bytes) {
      if (byte < limit && text.size() < length) text.push_back(alphabet[byte % alphabet.size()]);
    }
  }
  return text;
}

}  // namespace

std::string RandomIdSource::id(std::string_view prefix, std::size_t length) {
  return std::string(prefix) + random_characters("abcdefghijklmnopqrstuvwxyz0123456789", length);
}

std::string RandomIdSource::secret() {
  return random_characters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 32);
}

}  // namespace slipway::base
