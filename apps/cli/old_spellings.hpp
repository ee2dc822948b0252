#pragma once

#include <string>
#include <vector>

namespace slipway::cli {

/// A command line in today's words.
struct Respelled {
  std::vector<std::string> words;
  std::vector<std::string> notes;  ///< one for each word that has another name today: "--outputs is --output today"
};

/// Options that had other names once are taken under them still. Words behind "--" are names of files and stay.
/// @param words  of the command line, without the program's name
[[nodiscard]] Respelled in_todays_words(const std::vector<std::string>& words);

}  // namespace slipway::cli
