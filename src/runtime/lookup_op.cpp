#include "runtime/lookup_op.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/byte_lookup.hpp"

namespace slipway::runtime {
namespace {

constexpr const char* kName = "QLinearLookup";
constexpr std::size_t kBlock = std::size_t{1} << 15;  ///< bytes that are worth waking a thread

struct LookupKernel {
  ByteTable table;

  OrtStatusPtr ComputeV2(OrtKernelContext* raw) noexcept {
    try {
      const Ort::KernelContext context(raw);
      const auto input = context.GetInput(0);
      const auto info = input.GetTensorTypeAndShapeInfo();
      auto output = context.GetOutput(0, info.GetShape());
      Work work{.table = table,
                .in = static_cast<const std::uint8_t*>(input.GetTensorRawData()),
                .out = static_cast<std::uint8_t*>(output.GetTensorMutableRawData()),
                .count = info.GetElementCount()};
      const std::size_t blocks = (work.count + kBlock - 1) / kBlock;
      if (blocks > 1) return Ort::GetApi().KernelContext_ParallelFor(raw, Work::run, blocks, 0, &work);
      Work::run(&work, 0);
      return nullptr;
    } catch (const std::exception& exception) {
      return Ort::GetApi().CreateStatus(ORT_FAIL, exception.what());
    }
  }

 private:
  struct Work {
    const ByteTable& table;
    const std::uint8_t* in;
    std::uint8_t* out;
    std::size_t count;

    static void run(void* raw, std::size_t block) {
      const Work& work = *static_cast<const Work*>(raw);
      const std::size_t begin = block * kBlock, end = std::min(work.count, begin + kBlock);
      lookup_bytes(work.table, work.in + begin, end - begin, work.out + begin);
    }
  };
};

base::Result<LookupKernel> kernel_of(const OrtKernelInfo* raw) {
  const Ort::ConstKernelInfo info(raw);
  const std::string node = fmt::format("{} '{}'", kName, info.GetNodeName());
  const Ort::TypeInfo input = info.GetInputTypeInfo(0);
  const auto type = input.GetONNXType() == ONNX_TYPE_TENSOR ? input.GetTensorTypeAndShapeInfo().GetElementType()
                                                            : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  if (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 && type != ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8) {
    return base::fail(base::Code::kInvalidArgument, "{}: expected an input of uint8 or int8", node);
  }
  int is_constant = 0;
  const auto table = info.GetTensorConstantInput(1, &is_constant);
  if (is_constant == 0) {
    return base::fail(base::Code::kInvalidArgument, "{}: expected a table that is an initializer", node);
  }
  const auto table_info = table.GetTensorTypeAndShapeInfo();
  LookupKernel kernel;
  if (table_info.GetElementType() != type || table_info.GetElementCount() != kernel.table.size()) {
    return base::fail(base::Code::kInvalidArgument,
                      "{}: expected a table of {} elements of the input's type, found {}{}", node, kernel.table.size(),
                      table_info.GetElementCount(), table_info.GetElementType() == type ? "" : " of another type");
  }
  std::memcpy(kernel.table.data(), table.GetTensorRawData(), kernel.table.size());
  return kernel;
}

struct LookupOp : Ort::CustomOpBase<LookupOp, LookupKernel, true> {
  LookupOp() {
    // A library that is older than the headers takes no operator that claims to be newer than it.
    version = kOldestApi;
    InferOutputShapeFn = [](const OrtCustomOp*, OrtShapeInferContext* context) -> OrtStatusPtr {
      OrtTensorTypeAndShapeInfo* input = nullptr;  // the context's
      if (OrtStatusPtr error = Ort::GetApi().ShapeInferContext_GetInputTypeShape(context, 0, &input)) return error;
      return Ort::GetApi().ShapeInferContext_SetOutputTypeShape(context, 0, input);
    };
    GetMayInplace = [](int** input, int** output) -> std::size_t {
      *input = new int{0};
      *output = new int{0};
      return 1;
    };
    ReleaseMayInplace = [](int* input, int* output) {
      delete input;
      delete output;
    };
  }

  OrtStatusPtr CreateKernelV2(const OrtApi& api, const OrtKernelInfo* info, void** kernel) const noexcept {
    auto made = guarded(kName, [&] { return kernel_of(info); });
    if (!made) return api.CreateStatus(ORT_INVALID_ARGUMENT, made.error().message.c_str());
    *kernel = new LookupKernel(*made);
    return nullptr;
  }
  [[nodiscard]] const char* GetName() const { return kName; }
  [[nodiscard]] std::size_t GetInputTypeCount() const { return 2; }
  [[nodiscard]] ONNXTensorElementDataType GetInputType(std::size_t) const {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;  // any
  }
  [[nodiscard]] std::size_t GetOutputTypeCount() const { return 1; }
  [[nodiscard]] ONNXTensorElementDataType GetOutputType(std::size_t) const {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  }
};

}  // namespace

void add_lookup_op(Ort::SessionOptions& options) {
  // Sessions refer to both for as long as they live; the domain is ONNX Runtime's, made once it is open.
  static LookupOp op;
  static Ort::CustomOpDomain domain = [] {
    Ort::CustomOpDomain made("slipway");
    made.Add(&op);
    return made;
  }();
  options.Add(domain);
}

}  // namespace slipway::runtime
