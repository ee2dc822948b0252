#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stored_zip.hpp"

#include "convert/aten/functionalize.hpp"
#include "convert/torch_script/read.hpp"

/// Whatever the bytes: a TorchScript archive is read or refused. The first byte says what the rest is: an archive, the
/// pickle of one, or its code; the parts that are missing are added, so that check sums do not keep the fuzzer out.
namespace {

using namespace slipway;
using fuzz::zip;

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
