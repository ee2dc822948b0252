#include "convert/torch_script/internal/tokens.hpp"

#include <algorithm>
#include <array>

namespace slipway::convert::torch_script::internal {
namespace {

using base::Code;
using base::fail;

// Longer ones first.
constexpr auto kSigns = std::to_array<std::string_view>({"**", "//", "==", "!=", "<=", ">=", "<<", ">>", "->", "(", ")",
                                                         "[",  "]",  "{",  "}",  ",",  ":",  ".",  "=",  "+",  "-", "*",
                                                         "/",  "%",  "<",  ">",  "&",  "|",  "^",  "~",  "@"});

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view code) : code_(code) {}

  base::Result<std::vector<Token>> all() {
    while (at_ < code_.size()) {
      if (is_line_start_ && brackets_ == 0) {
        SLIPWAY_TRY(indentation());
        if (at_ >= code_.size()) break;
      }
      SLIPWAY_TRY(next());
    }
    if (!is_line_start_) add(Token::Kind::kNewLine, "");
    for (; indents_.size() > 1; indents_.pop_back()) add(Token::Kind::kDedent, "");
    add(Token::Kind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  void add(Token::Kind kind, std::string text) { tokens_.push_back({kind, line_, std::move(text)}); }

  base::Result<void> indentation() {
    std::size_t columns = 0;
    while (at_ < code_.size() && code_[at_] == ' ') ++columns, ++at_;
    if (at_ >= code_.size() || code_[at_] == '\n' || code_[at_] == '#' || code_[at_] == '\r') return {};
    is_line_start_ = false;
    if (columns > indents_.back()) {
      indents_.push_back(columns);
      add(Token::Kind::kIndent, "");
    }
    while (columns < indents_.back()) {
      indents_.pop_back();
      add(Token::Kind::kDedent, "");
    }
    if (columns != indents_.back())
      return fail(Code::kInvalidArgument, "line {}: it is indented as no line before", line_);
    return {};
  }

  base::Result<void> next() {
    const char c = code_[at_];
    if (c == '\n') {
      if (brackets_ == 0 && !is_line_start_) add(Token::Kind::kNewLine, "");
      is_line_start_ = brackets_ == 0;
      ++line_, ++at_;
      return {};
    }
    if (c == ' ' || c == '\t' || c == '\r') {
      ++at_;
      return {};
    }
    if (c == '#') {
      at_ = std::min(code_.find('\n', at_), code_.size());
      return {};
    }
    if (begins_name(c)) {
      const std::size_t begin = at_;
      while (at_ < code_.size() && (begins_name(code_[at_]) || is_digit(code_[at_]))) ++at_;
      add(Token::Kind::kName, std::string(code_.substr(begin, at_ - begin)));
      return {};
    }
    if (is_digit(c) || (c == '.' && at_ + 1 < code_.size() && is_digit(code_[at_ + 1]))) return number();
    if (c == '"' || c == '\'') return text();
    for (const std::string_view sign : kSigns) {
      if (!code_.substr(at_).starts_with(sign)) continue;
      if (sign == "(" || sign == "[" || sign == "{") ++brackets_;
      if ((sign == ")" || sign == "]" || sign == "}") && --brackets_ < 0) {
        return fail(Code::kInvalidArgument, "line {}: a bracket closes that was not opened", line_);
      }
      add(Token::Kind::kSign, std::string(sign));
      at_ += sign.size();
      return {};
    }
    return fail(Code::kInvalidArgument, "line {}: no token begins with the byte 0x{:02x}", line_,
                static_cast<unsigned char>(c));
  }

  base::Result<void> number() {
    const std::size_t begin = at_;
    bool is_real = false;
    while (at_ < code_.size()) {
      const char c = code_[at_];
      const bool is_exponent = c == 'e' || c == 'E';
      if (!is_digit(c) && c != '.' && !is_exponent) break;
      is_real = is_real || !is_digit(c);
      ++at_;
      if (is_exponent && at_ < code_.size() && (code_[at_] == '-' || code_[at_] == '+')) ++at_;
    }
    add(is_real ? Token::Kind::kReal : Token::Kind::kInteger, std::string(code_.substr(begin, at_ - begin)));
    return {};
  }

  base::Result<void> text() {
    const char quote = code_[at_++];
    std::string value;
    while (at_ < code_.size() && code_[at_] != quote && code_[at_] != '\n') {
      char c = code_[at_++];
      if (c == '\\') {
        if (at_ >= code_.size()) break;
        c = code_[at_++];
        if (c >= '0' && c <= '7') {  // PyTorch writes bytes beyond ASCII in octal
          unsigned byte = static_cast<unsigned>(c - '0');
          for (int i = 0; i < 2 && at_ < code_.size() && code_[at_] >= '0' && code_[at_] <= '7'; ++i) {
            byte = byte * 8 + static_cast<unsigned>(code_[at_++] - '0');
          }
          c = static_cast<char>(byte);
        } else if (constexpr std::string_view kFrom = "abfnrtv\\'\"", kTo = "\a\b\f\n\r\t\v\\'\"";
                   kFrom.find(c) != std::string_view::npos) {
          c = kTo[kFrom.find(c)];
        } else {
          return fail(Code::kInvalidArgument, "line {}: the escape \\{} is not known", line_, c);
        }
      }
      value += c;
    }
    if (at_ >= code_.size() || code_[at_] != quote)
      return fail(Code::kInvalidArgument, "line {}: a text has no end", line_);
    ++at_;
    add(Token::Kind::kText, std::move(value));
    return {};
  }

  std::string_view code_;
  std::size_t at_ = 0;
  int line_ = 1, brackets_ = 0;
  bool is_line_start_ = true;
  std::vector<std::size_t> indents_{0};
  std::vector<Token> tokens_;
};

}  // namespace

base::Result<std::vector<Token>> tokens_of(std::string_view code) {
  return Tokenizer(code).all();
}

}  // namespace slipway::convert::torch_script::internal
