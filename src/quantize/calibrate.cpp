#include "quantize/calibrate.hpp"

#include <algorithm>
#include <cmath>

#include "base/files.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "compile/onnx_graph/rewriter.hpp"
#include "runtime/session.hpp"

namespace slipway::quantize {
namespace {

using base::Code;
using base::fail;
using base::Result;
using compile::onnx_graph::Model;
using tensor::Dtype;
using tensor::NamedTensors;

constexpr std::uint64_t kBytesOfUnknown = 1U << 20;

std::uint64_t bytes_of(const Watched& watched) {
  const auto count = watched.type.shape ? tensor::element_count(*watched.type.shape) : std::nullopt;
  return count ? static_cast<std::uint64_t>(*count) * sizeof(float) : kBytesOfUnknown;
}

/// Splits what is watched into passes that each stay below the bound.
std::vector<std::vector<Watched>> passes_of(const std::vector<Watched>& watched) {
  std::vector<std::vector<Watched>> passes;
  std::uint64_t room = 0;
  for (const Watched& value : watched) {
    const std::uint64_t bytes = bytes_of(value);
    if (passes.empty() || bytes > room) {
      passes.emplace_back();
      room = kMostWatchedBytes;
    }
    passes.back().push_back(value);
    room -= std::min(bytes, room);
  }
  return passes;
}

/// The model with inner values among its outputs, loaded.
Result<std::unique_ptr<runtime::Session>> load_watching(const std::shared_ptr<runtime::Environment>& environment,
                                                        const Model& model, const std::vector<Watched>& watched) {
  SLIPWAY_ASSIGN(const auto folder, base::TemporaryFolder::create("slipway-calibration"));
  Model watching = model.copy_for_folder(model.folder());
  {
    compile::onnx_graph::Rewriter graph(watching);
    for (const Watched& each : watched) {
      auto* const value = graph.main().find(each.name);
      if (value != nullptr && !value->is_output() && !value->is_input()) graph.add_output(*value);
    }
  }
  SLIPWAY_TRY(compile::onnx_graph::write_with_one_data_file(watching, folder.path() / "model.onnx"));
  runtime::SessionOptions options;
  options.record_placement = false;
  // Without a pattern the arena gives back what the last sample needed: memory does not grow with their number.
  options.enable_memory_pattern = false;
  return runtime::Session::load(environment, folder.path() / "model.onnx", options);
}

std::uint64_t not_finite_in(const tensor::Tensor& tensor) {
  if (tensor.dtype() != Dtype::kFloat32) return 0;
  return static_cast<std::uint64_t>(
      std::ranges::count_if(tensor.values<float>(), [](float number) { return !std::isfinite(number); }));
}

class Pass {
 public:
  Pass(const Samples& samples, std::int64_t most_samples, Calibration& found) : samples_(samples), found_(found) {
    count_ = most_samples > 0 ? std::min(most_samples, samples.count) : samples.count;
  }

  [[nodiscard]] std::int64_t count() const { return count_; }

  Result<void> run(runtime::Session& session, const std::vector<Watched>& watched, bool is_first, bool has_histogram,
                   const std::function<void(std::int64_t)>& tell) {
    for (std::int64_t i = 0; i < count_; ++i) {
      SLIPWAY_ASSIGN(const NamedTensors sample, samples_.read(i));
      const std::string objection = objection_to(sample);
      if (!objection.empty()) {
        if (is_first) found_.left_out.push_back(fmt::format("sample {}: {}", i, objection));
        continue;
      }
      const auto outputs = session.run(sample);
      if (!outputs) return std::unexpected(outputs.error().with(fmt::format("calibration sample {}", i)));
      for (const auto& output : *outputs) watch(output.name, output.tensor, watched, has_histogram);
      for (const auto& input : sample) watch(input.name, input.tensor, watched, has_histogram);
      if (is_first) ++found_.samples;
      tell(i + 1);
    }
    return {};
  }

 private:
  void watch(const std::string& name, const tensor::Tensor& tensor, const std::vector<Watched>& watched,
             bool has_histogram) {
    if (tensor.dtype() != Dtype::kFloat32) return;
    const auto wanted = std::ranges::find(watched, name, &Watched::name);
    if (wanted == watched.end()) return;
    found_.tensors.try_emplace(name, has_histogram).first->second.add(tensor.values<float>());
    if (wanted->channel_axis) found_.channels[name].add(tensor.values<float>(), tensor.shape(), *wanted->channel_axis);
  }

  const Samples& samples_;
  Calibration& found_;
  std::int64_t count_;
};

}  // namespace

std::string objection_to(const NamedTensors& sample) {
  std::string words;
  for (const auto& input : sample) {
    const std::uint64_t count = not_finite_in(input.tensor);
    if (count > 0) words += fmt::format("{}{} in '{}'", words.empty() ? "" : ", ", count, input.name);
  }
  return words;
}

Result<Calibration> calibrate(const std::shared_ptr<runtime::Environment>& environment, const Model& model,
                              const std::vector<Watched>& watched, const Samples& samples, const Options& options,
                              const Progress& progress) {
  if (samples.count <= 0) {
    return fail(Code::kInvalidArgument, "the calibration data holds no sample; static quantisation needs at least one");
  }
  Calibration found;
  Pass pass(samples, options.most_samples, found);
  const auto passes = passes_of(watched);
  for (std::size_t i = 0; i < passes.size(); ++i) {
    SLIPWAY_ASSIGN(const auto session, load_watching(environment, model, passes[i]));
    const std::int64_t before = static_cast<std::int64_t>(i) * pass.count();
    SLIPWAY_TRY(pass.run(*session, passes[i], i == 0, options.scheme != RangeScheme::kMinMax, [&](std::int64_t done) {
      if (progress) progress("calibrating", before + done, pass.count() * static_cast<std::int64_t>(passes.size()));
    }));
    if (found.samples == 0) {
      return fail(Code::kInvalidArgument, "every calibration sample holds NaN or infinities ({}, ...)",
                  found.left_out.front());
    }
  }
  return found;
}

}  // namespace slipway::quantize
