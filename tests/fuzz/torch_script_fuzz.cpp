#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "convert/aten/functionalize.hpp"
#include "convert/torch_script/read.hpp"

/// Whatever the bytes: a TorchScript archive is read or refused. The first byte says what the rest is: an archive, the
/// pickle of one, or its code; the parts that are missing are added, so that check sums do not keep the fuzzer out.
namespace {

using namespace slipway;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
}

/// A zip archive of stored entries.
std::string zip(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string file, directory;
  for (const auto& [name, content] : entries) {
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
    const auto common = [&](std::string& out) {
      put(out, 20, 2), put(out, 0, 8), put(out, sum, 4), put(out, content.size(), 4), put(out, content.size(), 4);
      put(out, name.size(), 2), put(out, 0, 2);
    };
    directory += "PK\1\2";
    put(directory, 20, 2);
    common(directory);
    put(directory, 0, 8), put(directory, 0, 2);
    put(directory, file.size(), 4);
    directory += name;
    file += "PK\3\4";
    common(file);
    file += name + content;
  }
  std::string end = "PK\5\6";
  put(end, 0, 4), put(end, entries.size(), 2), put(end, entries.size(), 2);
  put(end, directory.size(), 4), put(end, file.size(), 4), put(end, 0, 2);
  return file + directory + end;
}

constexpr std::string_view kCode =
    "class M(Module):\n  __parameters__ = [\"w\", ]\n  w : Tensor\n  def forward(self: __torch__.M,\n    x: Tensor) -> "
    "Tensor:\n    return torch.add(x, self.w)\n";
using namespace std::string_view_literals;
constexpr std::string_view kPickle =
    "\x80\x02"
    "c__torch__\nM\n)\x81}(X\1\0\0\0wK\1X\1\0\0\0lK\2ub."sv;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const int kind = bytes[0] % 3;
  const std::string pickle = kind == 1 ? rest : std::string(kPickle), code = kind == 2 ? rest : std::string(kCode);
  const std::string file = kind == 0 ? rest
                                     : zip({{"m/data.pkl", pickle},
                                            {"m/constants.pkl", std::string("\x80\x02).", 4)},
                                            {"m/code/__torch__.py", code},
                                            {"m/data/0", std::string(64, '\1')}});
  const auto archive = convert::archive::ZipArchive::over(std::as_bytes(std::span(file)));
  if (!archive) return 0;
  for (const auto& inputs : {std::vector<tensor::TensorSpec>(), {{"x", tensor::Dtype::kFloat32, {1, 2}, {}}}}) {
    auto graph = convert::torch_script::read(*archive, inputs);
    if (graph) static_cast<void>(convert::aten::functionalize(*graph));
  }
  return 0;
}
