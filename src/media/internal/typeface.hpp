#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace slipway::media::internal {

/// A letter as FreeType draws it: how much of each pixel it covers, and where it lies from the pen on the base line.
struct Glyph {
  int left = 0;  ///< of the pen
  int top = 0;   ///< above the base line
  int width = 0, height = 0;
  int advance = 0;                     ///< to the next pen
  std::vector<std::uint8_t> coverage;  ///< row by row, 255: whole
};

/// Letters of one size. Those of ASCII are drawn when the size is first asked for, others when they are first used;
/// after that nothing is allocated.
class Typeface {
 public:
  /// The letters of a size in pixels, of the typeface that is part of the program. Lives to the end of the program.
  /// @thread any
  [[nodiscard]] static Typeface& of_size(int pixels);

  [[nodiscard]] int ascent() const { return ascent_; }    ///< above the base line
  [[nodiscard]] int descent() const { return descent_; }  ///< below it

  /// @param letter  what the typeface lacks is its own sign for that @thread any
  [[nodiscard]] const Glyph& glyph(char32_t letter);

 private:
  explicit Typeface(int pixels);
  [[nodiscard]] Glyph drawn(char32_t letter) const;

  int pixels_;
  int ascent_ = 0, descent_ = 0;
  struct Letters;
  Letters* letters_;  ///< never given back, as the object itself
};

/// Takes the next letter off a text of UTF-8; bytes that are none give U+FFFD. @pre not empty
[[nodiscard]] char32_t consume_letter(std::string_view& text);

}  // namespace slipway::media::internal
