#include "media/internal/libav.hpp"

#include <array>

namespace slipway::media::internal {

std::string libav_reason(int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error, text.data(), text.size());
  return text.data();
}

void quiet_libav() {
  av_log_set_level(AV_LOG_QUIET);
}

}  // namespace slipway::media::internal
