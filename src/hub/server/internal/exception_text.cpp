#include "hub/server/internal/exception_text.hpp"

#include <filesystem>

namespace slipway::hub::server::internal {

std::string text_of(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an unknown exception";
  }
}

std::string public_text_of(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::filesystem::filesystem_error& error) {
    return error.code().message();
  } catch (...) {
    return text_of(problem);
  }
}

}  // namespace slipway::hub::server::internal
