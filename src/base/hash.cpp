#include "base/hash.hpp"

#include <array>
#include <fstream>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace slipway::base {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  SLIPWAY_CHECK(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1, "OpenSSL has SHA-256");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  SLIPWAY_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "update before hex()");
}

Sha256 Sha256::clone() const {
  Sha256 copy;
  SLIPWAY_CHECK(EVP_MD_CTX_copy_ex(copy.state_->context, state_->context) == 1, "clone() before hex()");
  return copy;
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  SLIPWAY_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), &length) == 1, "hex() is called once");
  std::string text;
  text.reserve(2 * length);
  for (unsigned i = 0; i < length; ++i) fmt::format_to(std::back_inserter(text), "{:02x}", digest[i]);
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

Result<std::string> sha256_hex_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, "cannot open {} to hash it", path.string());
  std::vector<char> buffer(1 << 20);
  Sha256 hash;
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
    hash.update(std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(file.gcount()))));
  }
  if (file.bad()) return fail(Code::kInternal, "reading {} failed midway", path.string());
  return hash.hex();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace slipway::base
