#pragma once

#include <exception>
#include <new>
#include <string_view>

#include "base/error.hpp"

namespace slipway::base {

/// Calls a function that returns a Result; what it throws becomes an error. Where a thread begins, and where libraries
/// that throw are used.
/// @param what  was being done
template <typename Function>
auto guarded(std::string_view what, Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return fail(Reason::kOutOfMemory, "{}: out of memory", what);
  } catch (const std::exception& exception) {
    return fail(Code::kInternal, "{}: {}", what, exception.what());
  }
}

}  // namespace slipway::base
