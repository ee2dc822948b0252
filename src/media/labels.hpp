#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "media/draw.hpp"
#include "media/image.hpp"

namespace slipway::media {

/// The height of letters that read well on an image of this size, in pixels.
[[nodiscard]] int text_size_for(ImageView image);

/// What a line of text takes, in pixels, its margin included.
struct TextExtent {
  int width = 0;
  int height = 0;
};
[[nodiscard]] TextExtent extent_of(std::string_view text, int size);

/// One line of text on a plate of this colour, its upper left corner at (x, y), moved inside where the image has room.
/// Letters are black or white, whichever shows. Text is UTF-8.
/// @param size  of the letters, in pixels
void draw_label(Image& image, int x, int y, std::string_view text, Colour plate, int size);

/// The same without a plate.
void draw_plain_text(Image& image, int x, int y, std::string_view text, Colour ink, int size);

/// A colour for each class, track or object: neighbours in number differ well.
[[nodiscard]] Colour colour_of_class(int number);

/// A label's text in memory of its own, of a fixed size: longer ones are cut.
class LabelText {
 public:
  template <typename... Args>
  explicit LabelText(fmt::format_string<Args...> format, Args&&... args) {
    append(format, std::forward<Args>(args)...);
  }

  template <typename... Args>
  void append(fmt::format_string<Args...> format, Args&&... args) {
    const auto result =
        fmt::format_to_n(letters_.data() + size_, letters_.size() - size_, format, std::forward<Args>(args)...);
    size_ = static_cast<std::size_t>(result.out - letters_.data());
  }

  [[nodiscard]] std::string_view text() const { return {letters_.data(), size_}; }

 private:
  std::array<char, 128> letters_;
  std::size_t size_ = 0;
};

/// Labels of one image, each put at a free place by the box that it names, so that none hides another. Those that are
/// added first choose first; what finds no place is left out. Takes no memory of its own but the stack's.
class Labels {
 public:
  static constexpr std::size_t kMost = 128;  ///< more are left out

  /// @param size  of the letters, in pixels
  Labels(Image& image, int size) : image_(image), size_(size) {}

  /// A part of the image that labels leave free.
  void reserve(int x, int y, int width, int height);

  /// A box that labels cover only when there is no other place, if it is so small that one would hide it.
  void spare(double x1, double y1, double x2, double y2);

  /// Draws a label above the box, or within, beside or below it.
  /// @return whether a place was found
  bool add(double x1, double y1, double x2, double y2, std::string_view text, Colour colour);

  /// A part of the image that is taken.
  struct Place {
    int x = 0, y = 0, width = 0, height = 0;
  };
  [[nodiscard]] std::span<const Place> places() const { return std::span(places_).first(count_); }

 private:
  Image& image_;
  int size_;
  std::array<Place, kMost> places_;  ///< of labels, and what is reserved
  std::array<Place, kMost> spared_;  ///< of small boxes
  std::size_t count_ = 0, spared_count_ = 0;
};

}  // namespace slipway::media
