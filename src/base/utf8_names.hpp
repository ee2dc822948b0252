#pragma once

#include <locale.h>

namespace slipway::base {

/// While it lives, libraries that turn file names into the encoding of their thread's locale (libarchive) leave UTF-8
/// as it is. The "C" locale of a service or a container has no letters beyond ASCII, and names with such would be lost.
/// @thread affects the thread that made it, which must be the one that ends it
class Utf8Names {
 public:
  Utf8Names() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), previous_(::uselocale(locale_)) {}
  ~Utf8Names() {
    ::uselocale(previous_);
    if (locale_ != nullptr) ::freelocale(locale_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  ::locale_t locale_;
  ::locale_t previous_;
};

}  // namespace slipway::base
