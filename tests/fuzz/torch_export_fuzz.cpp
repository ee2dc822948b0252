#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "stored_zip.hpp"

#include "convert/aten/functionalize.hpp"
#include "convert/operators/lower.hpp"
#include "convert/torch_export/read.hpp"

/// Whatever the bytes: a torch.export archive ends as a model or as an error. The first byte says what the rest is, an
/// archive or its program; to a program an archive is added, so that check sums do not keep the fuzzer out.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace slipway;
  if (size == 0) return 0;
  std::string file(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (bytes[0] % 2 == 1) {
    file = fuzz::zip(
        {{"net/models/model.json", file},
         {"net/data/weights/model_weights_config.json",
          R"({"config":{"w":{"path_name":"weight_0","is_param":true,"use_pickle":false,"tensor_meta":{"dtype":7,)"
          R"("sizes":[{"as_int":2},{"as_int":3}],"strides":[{"as_int":3},{"as_int":1}],)"
          R"("storage_offset":{"as_int":0}}}}})"},
         {"net/data/weights/weight_0", std::string(24, '\1')}});
  }
  const auto archive = convert::archive::ZipArchive::over(std::as_bytes(std::span(file.data(), file.size())));
  if (!archive) return 0;
  auto graph = convert::torch_export::read(*archive);
  if (!graph || !convert::aten::functionalize(*graph)) return 0;
  const auto model = convert::operators::lower(*graph, {});
  if (model) static_cast<void>(model->bytes());
  return 0;
}
