#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hub/domain/kinds/list.hpp"
#include "hub/domain/options.hpp"

/// Option strings come as users typed them: every text is either parsed or refused in words.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace domain = slipway::hub::domain;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const domain::KindEntry& kind : domain::JobKinds::kEntries) {
    const auto options = domain::parse_options(kind, text);
    if (!options && options.error().message.empty()) __builtin_trap();
  }
  return 0;
}
