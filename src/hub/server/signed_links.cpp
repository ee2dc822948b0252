#include "hub/server/signed_links.hpp"

#include <array>
#include <optional>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"

namespace slipway::hub::server {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kKeyCharacters = 64;

std::string base64url(std::string_view bytes) {
  std::string result;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      result += kAlphabet[(bits >> static_cast<unsigned>(count)) & 63U];
    }
  }
  if (count > 0) result += kAlphabet[(bits << static_cast<unsigned>(6 - count)) & 63U];
  return result;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string result;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      result += static_cast<char>((bits >> static_cast<unsigned>(count)) & 255U);
    }
  }
  return result;
}

std::uint64_t seconds_of(base::Time time) {
  return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
}

/// The text before the next line end, which is taken off with it.
std::string_view consume_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

SignedLinks::SignedLinks(std::string key, const base::Clock& clock, std::chrono::seconds lifetime)
    : key_(std::move(key)), clock_(clock), lifetime_(lifetime) {}

std::string SignedLinks::mac(std::string_view payload) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  ::HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
         reinterpret_cast<const unsigned char*>(payload.data()), payload.size(), digest.data(), &size);
  return base64url({reinterpret_cast<const char*>(digest.data()), size});
}

std::string SignedLinks::sign(const Target& target, std::chrono::seconds lifetime) const {
  const std::uint64_t expires = seconds_of(clock_.now() + lifetime);
  const std::string payload =
      base64url(fmt::format("1\n{}\n{}\n{}\n{}", target.blob.sha256, target.blob.size_bytes, expires, target.filename));
  return payload + "." + mac(payload);
}

base::Result<SignedLinks::Target> SignedLinks::open(std::string_view segment) const {
  const auto refused = [] {
    return base::fail(base::Code::kNotFound, "this link is not valid (any more); ask for the file again");
  };
  const std::size_t dot = segment.find('.');
  if (dot == std::string_view::npos) return refused();
  const std::string_view payload = segment.substr(0, dot);
  if (!base::equal_in_constant_time(segment.substr(dot + 1), mac(payload))) return refused();
  const auto text = from_base64url(payload);
  if (!text) return refused();
  std::string_view rest = *text;
  if (consume_line(rest) != "1") return refused();
  Target target;
  target.blob.sha256 = consume_line(rest);
  const auto size = base::parse_number<std::uint64_t>(consume_line(rest));
  const auto expires = base::parse_number<std::uint64_t>(consume_line(rest));
  if (!size || !expires || *expires < seconds_of(clock_.now())) return refused();
  target.blob.size_bytes = *size;
  target.filename = rest;
  return target;
}

base::Result<std::string> load_or_make_key(const std::filesystem::path& file, base::IdSource& ids) {
  auto kept = base::read_file(file, 4096);
  if (kept) {
    if (kept->size() < kKeyCharacters) {
      return base::fail(base::Code::kDataLoss,
                        "{}: expected a key of {} characters, found {}; delete the file to make "
                        "a new one (links handed out before end)",
                        file.string(), kKeyCharacters, kept->size());
    }
    return kept->substr(0, kKeyCharacters);
  }
  if (kept.error().code != base::Code::kNotFound) return std::unexpected(kept.error());
  std::string key;
  while (key.size() < kKeyCharacters) key += ids.secret();
  key.resize(kKeyCharacters);
  SLIPWAY_TRY(base::write_file_durably(file, key, 0600));
  return key;
}

}  // namespace slipway::hub::server
