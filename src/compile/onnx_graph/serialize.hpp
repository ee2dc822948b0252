#pragma once

#include <cstdint>

#include "compile/onnx_graph/model.hpp"

namespace google::protobuf::io {
class ZeroCopyOutputStream;
}

namespace slipway::compile::onnx_graph {

/// Bytes of the file that serialize() makes, views included.
[[nodiscard]] std::uint64_t serialized_size_bytes(const Model& model);

/// Writes a model as protobuf; the bytes of views go from where they lie to the stream and are never copied together.
/// @pre   serialized_size_bytes() is not above 2 GiB
/// @return  false when the stream failed
[[nodiscard]] bool serialize(const Model& model, google::protobuf::io::ZeroCopyOutputStream& stream);

}  // namespace slipway::compile::onnx_graph
