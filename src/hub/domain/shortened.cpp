#include "hub/domain/shortened.hpp"

namespace slipway::hub::domain {

std::string shortened(std::string text, std::size_t limit_bytes) {
  if (text.size() <= limit_bytes) return text;
  while (limit_bytes > 0 && (static_cast<unsigned char>(text[limit_bytes]) & 0xc0U) == 0x80U) --limit_bytes;
  text.resize(limit_bytes);
  return text + " …";
}

}  // namespace slipway::hub::domain
