#include "hub/protocol/wire_text.hpp"

#include "base/utf8.hpp"

namespace slipway::hub::protocol {

std::string wire_text(std::string_view text) {
  return base::valid_utf8(text);
}

}  // namespace slipway::hub::protocol
