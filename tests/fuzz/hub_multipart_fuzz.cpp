#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/server/multipart.hpp"

/// However a body is cut into pieces, the parts are the same; and whatever it holds, what is kept stays small.
namespace {

using namespace slipway;
using hub::server::MultipartParser;

void require(bool condition) {
  if (!condition) std::abort();
}

class Recorder final : public MultipartParser::Receiver {
 public:
  std::string parts;
  base::Result<void> begin_part(const std::string& name) override {
    parts += "<" + name + ">";
    return {};
  }
  base::Result<void> part_data(std::span<const std::byte> bytes) override {
    parts.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  base::Result<void> end_part() override {
    parts += "</>";
    return {};
  }
};

/// The parts as one text, and whether the body was accepted.
std::pair<std::string, bool> parsed(std::string_view body, std::size_t piece) {
  Recorder recorder;
  MultipartParser parser("b", recorder);
  for (std::size_t i = 0; i < body.size(); i += piece) {
    if (!parser.feed(body.substr(i, piece))) return {recorder.parts, false};
  }
  return {recorder.parts, parser.finish().has_value()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)hub::server::multipart_boundary(text);
  const auto whole = parsed(text, text.size() + 1);
  const auto bytewise = parsed(text, 1);
  const auto pieces = parsed(text, 7);
  require(whole.second == bytewise.second && whole.second == pieces.second);
  if (whole.second) require(whole.first == bytewise.first && whole.first == pieces.first);
  return 0;
}
