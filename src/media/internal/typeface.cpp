#include "media/internal/typeface.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>

#include <ft2build.h>
#include FT_FREETYPE_H

#include "base/error.hpp"

// The file of the package, as it is; its name comes from the build.
asm(R"(
  .pushsection .rodata
  .global slipway_typeface_begin
  .global slipway_typeface_end
  .balign 16
slipway_typeface_begin:
  .incbin ")" SLIPWAY_TYPEFACE R"("
slipway_typeface_end:
  .byte 0
  .popsection
)");
extern "C" {
extern const unsigned char slipway_typeface_begin[];  // NOLINT(readability-identifier-naming)
extern const unsigned char slipway_typeface_end[];    // NOLINT(readability-identifier-naming)
}

namespace slipway::media::internal {
namespace {

constexpr std::size_t kAscii = 128;
constexpr int kSmallest = 6, kLargest = 256;

/// FreeType's own objects: one for the program, used under a lock.
struct Face {
  FT_Library library = nullptr;
  FT_Face face = nullptr;

  Face() {
    SLIPWAY_CHECK(FT_Init_FreeType(&library) == 0, "FreeType starts");
    const auto size = static_cast<FT_Long>(slipway_typeface_end - slipway_typeface_begin);
    SLIPWAY_CHECK(FT_New_Memory_Face(library, slipway_typeface_begin, size, 0, &face) == 0,
                  "the typeface that was built in is one");
  }
};

std::mutex& lock_of_face() {
  static auto& mutex = *new std::mutex;
  return mutex;
}

Face& face() {
  static auto& only = *new Face;
  return only;
}

}  // namespace

struct Typeface::Letters {
  std::array<Glyph, kAscii> ascii;
  std::map<char32_t, Glyph> others;
};

Typeface& Typeface::of_size(int pixels) {
  static auto& mutex = *new std::mutex;
  static auto& sizes = *new std::map<int, std::unique_ptr<Typeface>>;
  pixels = std::clamp(pixels, kSmallest, kLargest);
  const std::lock_guard lock(mutex);
  const auto found = sizes.find(pixels);
  if (found != sizes.end()) return *found->second;
  return *sizes.emplace(pixels, std::unique_ptr<Typeface>(new Typeface(pixels))).first->second;
}

Typeface::Typeface(int pixels) : pixels_(pixels), letters_(new Letters) {
  const std::lock_guard lock(lock_of_face());
  FT_Set_Pixel_Sizes(face().face, 0, static_cast<FT_UInt>(pixels));
  const FT_Size_Metrics& metrics = face().face->size->metrics;
  ascent_ = static_cast<int>((metrics.ascender + 63) / 64);
  descent_ = static_cast<int>((63 - metrics.descender) / 64);
  for (std::size_t letter = ' '; letter < kAscii; ++letter)
    letters_->ascii[letter] = drawn(static_cast<char32_t>(letter));
}

Glyph Typeface::drawn(char32_t letter) const {
  Glyph glyph;
  FT_Set_Pixel_Sizes(face().face, 0, static_cast<FT_UInt>(pixels_));
  if (FT_Load_Char(face().face, letter, FT_LOAD_RENDER | FT_LOAD_TARGET_LIGHT) != 0) return glyph;
  const FT_GlyphSlot slot = face().face->glyph;
  glyph.left = slot->bitmap_left;
  glyph.top = slot->bitmap_top;
  glyph.width = static_cast<int>(slot->bitmap.width);
  glyph.height = static_cast<int>(slot->bitmap.rows);
  glyph.advance = static_cast<int>((slot->advance.x + 32) / 64);
  glyph.coverage.reserve(static_cast<std::size_t>(glyph.width) * static_cast<std::size_t>(glyph.height));
  for (int y = 0; y < glyph.height; ++y) {
    const unsigned char* const row = slot->bitmap.buffer + std::ptrdiff_t{y} * slot->bitmap.pitch;
    glyph.coverage.insert(glyph.coverage.end(), row, row + glyph.width);
  }
  return glyph;
}

const Glyph& Typeface::glyph(char32_t letter) {
  if (letter < ' ') letter = ' ';
  if (letter < kAscii) return letters_->ascii[letter];
  const std::lock_guard lock(lock_of_face());
  const auto found = letters_->others.find(letter);
  if (found != letters_->others.end()) return found->second;
  return letters_->others.emplace(letter, drawn(letter)).first->second;
}

char32_t consume_letter(std::string_view& text) {
  constexpr char32_t kReplacement = 0xFFFD;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  char32_t letter = length == 1 ? lead : lead & (0x7FU >> length);
  bool is_whole = length > 0 && length <= text.size();
  for (std::size_t i = 1; is_whole && i < length; ++i) {
    is_whole = (byte(i) & 0xC0U) == 0x80U;
    letter = letter << 6U | (byte(i) & 0x3FU);
  }
  text.remove_prefix(is_whole ? length : 1);
  return is_whole ? letter : kReplacement;
}

}  // namespace slipway::media::internal
