#include "convert/torch_export/internal/symbolic_size.hpp"

namespace slipway::convert::torch_export::internal {

std::string readable_expression(std::string_view written) {
  constexpr std::string_view kSymbol = "Symbol('", kInteger = "Integer(";
  std::string readable;
  while (!written.empty()) {
    if (written.starts_with(kSymbol)) {
      written.remove_prefix(kSymbol.size());
      readable += written.substr(0, written.find('\''));
      const auto end = written.find(')');
      written.remove_prefix(end == std::string_view::npos ? written.size() : end + 1);
    } else if (written.starts_with(kInteger)) {
      written.remove_prefix(kInteger.size());
      const auto end = written.find(')');
      readable += written.substr(0, end);
      written.remove_prefix(end == std::string_view::npos ? written.size() : end + 1);
    } else {
      readable += written.front();
      written.remove_prefix(1);
    }
  }
  return readable;
}

}  // namespace slipway::convert::torch_export::internal
