#include "compile/onnx_graph/check.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <onnx.pb.h>

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/external_file.hpp"
#include "compile/onnx_graph/tensors.hpp"

namespace slipway::compile::onnx_graph {
namespace {

constexpr int kDeepestFunctionCalls = 64;

using base::Code;
using base::fail;
using base::Result;

std::string shown_name(const std::string& name) {
  if (name.empty()) return "(no name)";
  std::string text;
  for (const char c : name.substr(0, 120)) text += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  return text;
}

/// How many elements the typed field of a tensor without raw data must hold; nothing where packing rules differ.
std::optional<std::int64_t> typed_element_count(const onnx::TensorProto& tensor) {
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
      return tensor.float_data_size();
    case onnx::TensorProto::DOUBLE:
      return tensor.double_data_size();
    case onnx::TensorProto::INT64:
      return tensor.int64_data_size();
    case onnx::TensorProto::COMPLEX64:
      return tensor.float_data_size() / 2;
    case onnx::TensorProto::COMPLEX128:
      return tensor.double_data_size() / 2;
    case onnx::TensorProto::UINT32:
    case onnx::TensorProto::UINT64:
      return tensor.uint64_data_size();
    case onnx::TensorProto::STRING:
      return tensor.string_data_size();
    case onnx::TensorProto::INT32:
    case onnx::TensorProto::INT16:
    case onnx::TensorProto::INT8:
    case onnx::TensorProto::UINT16:
    case onnx::TensorProto::UINT8:
    case onnx::TensorProto::BOOL:
    case onnx::TensorProto::FLOAT16:
    case onnx::TensorProto::BFLOAT16:
      return tensor.int32_data_size();
    default:
      return std::nullopt;
  }
}

Result<void> check_inline_data(const onnx::TensorProto& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t size : tensor.dims()) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) {
      return fail(Code::kInvalidArgument, "the dimensions are negative or too large to count");
    }
  }
  if (tensor.has_segment()) return fail(Code::kInvalidArgument, "segmented tensors are not supported");
  if (tensor.has_raw_data()) {
    if (!element_size_bits(tensor.data_type())) {
      return fail(Code::kInvalidArgument, "raw data of elements without a fixed size ({})",
                  element_type_name(tensor.data_type()));
    }
    const auto needed = tensor_size_bytes(tensor);
    if (!needed || *needed != tensor.raw_data().size()) {
      return fail(Code::kInvalidArgument, "type and shape need {} bytes, but {} are there",
                  needed ? fmt::format("{}", *needed) : "more than can be counted", tensor.raw_data().size());
    }
    return {};
  }
  const auto held = typed_element_count(tensor);
  // Packed types hold at most 16 elements in one number.
  if (held ? *held != count : count > std::int64_t{16} * tensor.int32_data_size()) {
    return fail(Code::kInvalidArgument, "the shape needs {} elements, but {} are there", count,
                held.value_or(tensor.int32_data_size()));
  }
  return {};
}

class ExternalFiles {
 public:
  explicit ExternalFiles(const std::filesystem::path& folder) : folder_(folder) {}

  Result<void> require(const std::string& location, std::uint64_t offset, std::uint64_t length) {
    SLIPWAY_ASSIGN(const std::string plain, plain_relative_path(location));
    auto known = sizes_.find(plain);
    if (known == sizes_.end()) {
      SLIPWAY_ASSIGN(const ExternalFile file, ExternalFile::open(folder_, plain));
      known = sizes_.emplace(plain, file.size_bytes()).first;
      order_.push_back(plain);
    }
    const std::uint64_t size = known->second;
    if (offset > size || length > size - offset) {
      return fail(Code::kInvalidArgument,
                  "external data file \"{}\" has {} bytes, but {} bytes from {} are asked for: it is truncated or not "
                  "the file this model was saved with",
                  plain, size, length, offset);
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string> in_order() && { return std::move(order_); }

 private:
  const std::filesystem::path& folder_;
  std::map<std::string, std::uint64_t> sizes_;
  std::vector<std::string> order_;
};

Result<void> check_location(const ExternalLocation& location, const Model& model, ExternalFiles& files) {
  const auto view = model.view_at(location.file);
  if (!view) return files.require(location.file, location.offset, location.length);
  if (location.offset == 0 && location.length == view->size()) return {};
  return fail(Code::kInvalidArgument, "type and shape need {} bytes, but the view has {}", location.length,
              view->size());
}

Result<void> check_tensors(const Model& model, ExternalFiles& files) {
  for (const onnx::TensorProto* tensor : all_tensors(model.proto())) {
    Result<void> outcome;
    if (tensor->data_location() == onnx::TensorProto::EXTERNAL) {
      const auto location = external_location(*tensor);
      outcome = location ? check_location(*location, model, files) : std::unexpected(location.error());
    } else if (tensor->external_data_size() > 0) {
      outcome = fail(Code::kInvalidArgument, "external data is named, but data_location is not EXTERNAL");
    } else {
      outcome = check_inline_data(*tensor);
    }
    if (!outcome) return std::unexpected(outcome.error().with(fmt::format("tensor {}", shown_name(tensor->name()))));
  }
  return {};
}

/// "" stands for what is left out, so that nothing of the graph may be called so.
Result<void> check_names(const onnx::GraphProto& graph) {
  const auto is_named = [](const auto& value) { return !value.name().empty(); };
  const auto has_named_values = [](const auto& sparse) {
    return sparse.has_values() && !sparse.values().name().empty();
  };
  const auto refuse = [](std::string_view what) {
    return fail(Code::kInvalidArgument, "{} of the graph has no name: the file is not complete", what);
  };
  if (!std::ranges::all_of(graph.input(), is_named)) return refuse("an input");
  if (!std::ranges::all_of(graph.output(), is_named)) return refuse("an output");
  if (!std::ranges::all_of(graph.initializer(), is_named)) return refuse("an initializer");
  if (!std::ranges::all_of(graph.sparse_initializer(), has_named_values)) return refuse("a sparse initializer");
  return {};
}

/// A node that loads a context binary names a file of its own when the binary is not embedded.
Result<void> check_context_nodes(const onnx::ModelProto& model, ExternalFiles& files) {
  Result<void> outcome;
  for_each_node(model, [&](const onnx::NodeProto& node) {
    if (!outcome || node.op_type() != "EPContext") return;
    bool is_embedded = true;
    const std::string* context = nullptr;
    for (const auto& attribute : node.attribute()) {
      if (attribute.name() == "embed_mode") is_embedded = attribute.i() != 0;
      if (attribute.name() == "ep_cache_context") context = &attribute.s();
    }
    if (is_embedded || context == nullptr) return;
    outcome = files.require(*context, 0, 0);
    if (!outcome) outcome = std::unexpected(outcome.error().with(fmt::format("node {}", shown_name(node.name()))));
  });
  return outcome;
}

using FunctionKey = std::pair<std::string, std::string>;

/// Local functions that call themselves, or call each other very deeply, end ONNX Runtime's inliner with a full stack.
class FunctionCalls {
 public:
  explicit FunctionCalls(const onnx::ModelProto& model) {
    for (const auto& function : model.functions()) {
      auto& callees = callees_[{function.domain(), function.name()}];
      for (const auto& node : function.node()) collect(node, callees);
    }
  }

  Result<void> check() {
    for (const auto& [function, callees] : callees_) SLIPWAY_TRY(visit(function, 1));
    return {};
  }

 private:
  static void collect(const onnx::NodeProto& node, std::set<FunctionKey>& callees) {
    callees.insert({node.domain(), node.op_type()});
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) collect(attribute.g(), callees);
      for (const auto& graph : attribute.graphs()) collect(graph, callees);
    }
  }
  static void collect(const onnx::GraphProto& graph, std::set<FunctionKey>& callees) {
    for (const auto& node : graph.node()) collect(node, callees);
  }

  Result<void> visit(const FunctionKey& function, int depth) {
    const auto found = callees_.find(function);
    if (found == callees_.end() || done_.contains(function)) return {};
    if (depth > kDeepestFunctionCalls || !open_.insert(function).second) {
      return fail(Code::kInvalidArgument, "the local function {} calls itself, or calls are nested deeper than {}",
                  shown_name(function.second), kDeepestFunctionCalls);
    }
    for (const auto& callee : found->second) SLIPWAY_TRY(visit(callee, depth + 1));
    open_.erase(function);
    done_.insert(function);
    return {};
  }

  std::map<FunctionKey, std::set<FunctionKey>> callees_;
  std::set<FunctionKey> open_, done_;
};

}  // namespace

Result<std::vector<std::string>> check_model(const Model& whole) {
  const onnx::ModelProto& model = whole.proto();
  if (!model.has_graph() || model.ir_version() <= 0) {
    return fail(Code::kInvalidArgument, "not an ONNX model: {} is missing (is the file complete?)",
                model.has_graph() ? "the IR version" : "the graph");
  }
  if (model.graph().output().empty()) {
    return fail(Code::kInvalidArgument, "the graph has no outputs: the file is not complete, or not an ONNX model");
  }
  if (model.opset_import().empty()) {
    return fail(Code::kInvalidArgument, "the model names no opset: the file is not complete");
  }
  ExternalFiles files(whole.folder());
  SLIPWAY_TRY(check_tensors(whole, files));
  SLIPWAY_TRY(check_names(model.graph()));
  SLIPWAY_TRY(check_context_nodes(model, files));
  SLIPWAY_TRY(FunctionCalls(model).check());
  return std::move(files).in_order();
}

}  // namespace slipway::compile::onnx_graph
