// A custom operator that passes its input on, and fails or stalls when the session's config entries say so: what a
// provider may do in the field, for tests. A shared library of its own, registered through
// runtime::SessionOptions::custom_op_libraries.
//
//   slipway.test.fail_load   "1": the kernel cannot be made
//   slipway.test.fail_run    N: run N (from 1) fails, and every later one
//   slipway.test.stall_run   N: run N sleeps for slipway.test.stall_ms

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>
#undef ORT_API_MANUAL_INIT

#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Behaviour {
  bool fails_load = false;
  int failing_run = 0, stalling_run = 0, stall_ms = 0;
};

struct Kernel {
  Behaviour behaviour;
  int runs = 0;

  OrtStatusPtr ComputeV2(OrtKernelContext* raw) {
    ++runs;
    if (behaviour.failing_run > 0 && runs >= behaviour.failing_run) {
      return Ort::GetApi().CreateStatus(ORT_FAIL, "the device was lost (told to by the test)");
    }
    if (runs == behaviour.stalling_run) std::this_thread::sleep_for(std::chrono::milliseconds(behaviour.stall_ms));
    const Ort::KernelContext context(raw);
    const auto input = context.GetInput(0);
    const auto info = input.GetTensorTypeAndShapeInfo();
    auto output = context.GetOutput(0, info.GetShape());
    std::memcpy(output.GetTensorMutableData<float>(), input.GetTensorData<float>(),
                info.GetElementCount() * sizeof(float));
    return nullptr;
  }
};

struct MisbehavingOp : Ort::CustomOpBase<MisbehavingOp, Kernel, true> {
  Behaviour behaviour;

  OrtStatusPtr CreateKernelV2(const OrtApi& api, const OrtKernelInfo*, void** kernel) const {
    if (behaviour.fails_load) return api.CreateStatus(ORT_FAIL, "no such device (told to by the test)");
    *kernel = new Kernel{behaviour};
    return nullptr;
  }
  [[nodiscard]] const char* GetName() const { return "Misbehave"; }
  [[nodiscard]] size_t GetInputTypeCount() const { return 1; }
  [[nodiscard]] ONNXTensorElementDataType GetInputType(size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; }
  [[nodiscard]] size_t GetOutputTypeCount() const { return 1; }
  [[nodiscard]] ONNXTensorElementDataType GetOutputType(size_t) const { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; }
  static Ort::Status InferOutputShape(Ort::ShapeInferContext& context) {
    context.SetOutputShape(0, context.GetInputShape(0));
    return Ort::Status(nullptr);
  }
};

/// One session's operator; kept until the process ends, as sessions refer to it.
struct Registration {
  MisbehavingOp op;
  Ort::CustomOpDomain domain{"slipway.test"};
};

}  // namespace

extern "C" __attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(OrtSessionOptions* options,
                                                                               const OrtApiBase* base) {
  Ort::InitApi(base->GetApi(ORT_API_VERSION));
  static std::mutex mutex;
  static std::vector<std::unique_ptr<Registration>> registrations;
  try {
    Ort::UnownedSessionOptions session(options);
    const auto number = [&](const char* key) { return std::stoi(session.GetConfigEntryOrDefault(key, "0")); };
    auto registration = std::make_unique<Registration>();
    registration->op.behaviour = {number("slipway.test.fail_load") != 0, number("slipway.test.fail_run"),
                                  number("slipway.test.stall_run"), number("slipway.test.stall_ms")};
    registration->domain.Add(&registration->op);
    session.Add(registration->domain);
    const std::scoped_lock lock(mutex);
    registrations.push_back(std::move(registration));
    return nullptr;
  } catch (const std::exception& exception) {
    return Ort::GetApi().CreateStatus(ORT_FAIL, exception.what());
  }
}
