#include "pipelines/demucs/network.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "base/guarded.hpp"
#include "runtime/bound_session.hpp"

namespace slipway::pipelines::demucs {

using base::Code;
using base::fail;
using base::Result;
using tensor::Dtype;
using tensor::Shape;
using tensor::TensorSpec;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kBins = static_cast<std::int64_t>(media::Stft::kBins);

const TensorSpec* find(const std::vector<TensorSpec>& specs, std::string_view name) {
  const auto found = std::ranges::find(specs, name, &TensorSpec::name);
  return found == specs.end() ? nullptr : &*found;
}

Result<void> expect(const TensorSpec& spec, const Shape& shape) {
  if (spec.dtype == Dtype::kFloat32 && spec.shape == shape) return {};
  return fail(Code::kInvalidArgument, "'{}': expected {}, found {}: export it with python -m python.exporters.demucs",
              spec.name, to_string(Dtype::kFloat32, shape), to_string(spec.dtype, spec.shape));
}

}  // namespace

std::vector<std::string> default_sources(std::size_t count) {
  if (count == 4) return {"drums", "bass", "other", "vocals"};
  if (count == 6) return {"drums", "bass", "other", "vocals", "guitar", "piano"};
  return {};
}

Result<Form> form_of(const ModelFolder& folder, const std::vector<TensorSpec>& inputs,
                     const std::vector<TensorSpec>& outputs) {
  const TensorSpec* input = find(inputs, "input");
  const TensorSpec* x = find(inputs, "x");
  const TensorSpec* wave = find(outputs, "add_67");
  const TensorSpec* spectrogram = find(outputs, "output");
  const std::size_t known = (input != nullptr ? 1U : 0U) + (x != nullptr ? 1U : 0U);
  if (input == nullptr || wave == nullptr || inputs.size() != known ||
      outputs.size() != (spectrogram != nullptr ? 2U : 1U)) {
    const auto names = [](const std::vector<TensorSpec>& specs) {
      std::string list;
      for (const TensorSpec& spec : specs) list += fmt::format("{}'{}'", list.empty() ? "" : ", ", spec.name);
      return list;
    };
    return fail(
        Code::kInvalidArgument,
        "{}: not a separator: expected inputs 'input' (and 'x') and outputs 'add_67' (and 'output'), found {} and "
        "{}",
        folder.path().string(), names(inputs), names(outputs));
  }
  if (input->shape.size() != 3 || wave->shape.size() != 4 || input->shape[2] < 4096 || wave->shape[1] < 1) {
    return fail(Code::kInvalidArgument, "{}: expected 'input' [N, 2, T] with T of at least 4096, found {}",
                folder.path().string(), to_string(input->dtype, input->shape));
  }
  Form form;
  form.segment_samples = input->shape[2];
  form.batch = input->shape[0];
  form.accepts_spectrogram = x != nullptr;
  form.gives_spectrogram = spectrogram != nullptr;
  const std::int64_t stems = wave->shape[1];
  SLIPWAY_TRY(expect(*input, {form.batch, 2, form.segment_samples}));
  SLIPWAY_TRY(expect(*wave, {form.batch, stems, 2, form.segment_samples}));
  if (x != nullptr) SLIPWAY_TRY(expect(*x, {form.batch, 4, kBins, form.frames()}));
  if (spectrogram != nullptr) SLIPWAY_TRY(expect(*spectrogram, {form.batch, stems, 4, kBins, form.frames()}));

  form.sources = folder.labels().empty() ? default_sources(static_cast<std::size_t>(stems)) : folder.labels();
  if (form.sources.size() != static_cast<std::size_t>(stems)) {
    return fail(Code::kInvalidArgument, "{}: the graph gives {} stems, model.yaml names {} labels",
                folder.path().string(), stems, form.sources.size());
  }
  for (const std::string& name : form.sources) {
    if (name.empty() || name.find('/') != std::string::npos || name.front() == '.') {
      return fail(Code::kInvalidArgument, "{}: '{}' cannot be a file's name", folder.path().string(), name);
    }
  }
  SLIPWAY_ASSIGN(const auto rate, folder.number("constants.sample_rate"));
  SLIPWAY_ASSIGN(const auto overlap, folder.number("constants.overlap"));
  if (rate) form.sample_rate = static_cast<int>(*rate);
  if (overlap) form.overlap = *overlap;
  if (form.sample_rate < 1000 || form.sample_rate > 768000 || !(form.overlap >= 0 && form.overlap < 1)) {
    return fail(Code::kInvalidArgument, "{}: expected a sample rate in Hz and an overlap in [0, 1), found {} and {}",
                folder.path().string(), form.sample_rate, form.overlap);
  }
  return form;
}

/// Buffers of segments that run together, and of one thread.
struct Network::Lane {
  media::Stft stft;
  std::optional<runtime::BoundSession> bound;
  NetworkTimes times;
};

struct Network::Graph {
  std::shared_ptr<runtime::Session> session;
  std::vector<double> stem_weights;
  std::vector<std::unique_ptr<Lane>> lanes;
};

Network::Network() = default;
Network::~Network() = default;

Result<std::unique_ptr<Network>> Network::load(std::shared_ptr<runtime::Environment> environment,
                                               const ModelFolder& folder, const NetworkOptions& options) {
  std::unique_ptr<Network> network(new Network());
  network->options_ = options;
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int threads = options.threads > 0 ? options.threads : cores;
  const int parallel = std::max(1, options.parallel_segments);
  network->options_.parallel_segments = parallel;
  network->options_.threads = std::max(1, threads / parallel);
  network->options_.session.intra_op_threads = network->options_.threads;
  // A memory pattern plans one block for a whole run: half a gigabyte more at full segments, and no faster.
  network->options_.session.enable_memory_pattern = false;
  // Threads that spin after a run would take the cores from the transforms between two runs.
  network->options_.session.allow_spinning = false;
  for (const ModelGraph& each : folder.graphs()) {
    auto graph = std::make_unique<Graph>();
    SLIPWAY_ASSIGN(graph->session, runtime::Session::load(environment, each.file, network->options_.session));
    SLIPWAY_ASSIGN(Form form, form_of(folder, graph->session->inputs(), graph->session->outputs()));
    if (!network->graphs_.empty() &&
        (form.segment_samples != network->form_.segment_samples || form.sources != network->form_.sources ||
         form.batch != network->form_.batch || form.accepts_spectrogram != network->form_.accepts_spectrogram ||
         form.gives_spectrogram != network->form_.gives_spectrogram)) {
      return fail(Code::kInvalidArgument, "{}: the graphs of a bag must have one form; '{}' differs",
                  folder.path().string(), each.name);
    }
    SLIPWAY_ASSIGN(auto weights, folder.numbers("graphs." + each.name + ".stem_weights"));
    graph->stem_weights = weights.value_or(std::vector<double>(form.sources.size(), 1.0));
    if (graph->stem_weights.size() != form.sources.size()) {
      return fail(Code::kInvalidArgument, "{}: graphs.{}.stem_weights: expected {} numbers, found {}",
                  folder.path().string(), each.name, form.sources.size(), graph->stem_weights.size());
    }
    for (int lane = 0; lane < parallel; ++lane) {
      SLIPWAY_ASSIGN(auto stft,
                     media::Stft::create(static_cast<std::size_t>(form.segment_samples), network->options_.threads));
      graph->lanes.push_back(std::make_unique<Lane>(Lane{std::move(stft), std::nullopt, {}}));
    }
    network->form_ = std::move(form);
    network->graphs_.push_back(std::move(graph));
  }
  return network;
}

const std::vector<double>& Network::stem_weights(std::size_t graph) const {
  return graphs_[graph]->stem_weights;
}

const runtime::PlacementReport& Network::placement(std::size_t graph) const {
  return graphs_[graph]->session->placement();
}

std::size_t Network::group_size(std::size_t batch) const {
  const std::size_t together =
      form_.batch < 0 ? std::max<std::size_t>(1, batch) : static_cast<std::size_t>(form_.batch);
  return together * graphs_.front()->lanes.size();
}

Result<void> Network::run_lane(Graph& graph, Lane& lane, std::size_t count, const float* windows, float* stems,
                               runtime::CancelFlag* cancel) {
  const auto segment = static_cast<std::size_t>(form_.segment_samples);
  const auto frames = static_cast<std::size_t>(form_.frames());
  const std::size_t rows = form_.sources.size() * 2;
  const std::int64_t n = form_.batch < 0 ? static_cast<std::int64_t>(count) : form_.batch;
  if (!lane.bound || lane.bound->input(0).shape()[0] != n) {
    lane.bound.reset();  // the memory of one number of segments at a time
    std::vector<tensor::TensorSpec> inputs = {{"input", Dtype::kFloat32, {n, 2, form_.segment_samples}, std::nullopt}};
    if (form_.accepts_spectrogram) {
      inputs.push_back({"x", Dtype::kFloat32, {n, 4, kBins, form_.frames()}, std::nullopt});
    }
    SLIPWAY_ASSIGN(lane.bound, runtime::BoundSession::bind(graph.session, inputs));
  }

  auto started = Clock::now();
  const std::span<float> input = lane.bound->input(0).values<float>();
  std::memcpy(input.data(), windows, count * 2 * segment * sizeof(float));
  std::fill(input.begin() + static_cast<std::ptrdiff_t>(count * 2 * segment), input.end(), 0.0F);
  if (form_.accepts_spectrogram) lane.stft.forward(input, lane.bound->input(1).values<float>());
  auto ended = Clock::now();
  lane.times.stft += ended - std::exchange(started, ended);

  SLIPWAY_TRY(lane.bound->run(cancel));
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, lane.bound->outputs());
  ended = Clock::now();
  lane.times.network += ended - std::exchange(started, ended);

  const tensor::Tensor* wave = nullptr;
  const tensor::Tensor* spectrogram = nullptr;
  for (const auto& [name, value] : *outputs) (name == "add_67" ? wave : spectrogram) = &value;
  const std::size_t stem_floats = count * rows * segment;
  std::memcpy(stems, wave->values<float>().data(), stem_floats * sizeof(float));
  if (form_.gives_spectrogram) {
    lane.stft.add_inverse(
        spectrogram->values<float>().first(count * rows * 2 * static_cast<std::size_t>(kBins) * frames),
        std::span(stems, stem_floats));
  }
  lane.times.istft += Clock::now() - started;
  return {};
}

Result<void> Network::run(std::size_t graph_index, std::size_t batch, std::span<const float> windows,
                          std::span<float> stems, runtime::CancelFlag* cancel) {
  Graph& graph = *graphs_[graph_index];
  const auto segment = static_cast<std::size_t>(form_.segment_samples);
  const std::size_t count = windows.size() / (2 * segment);
  const std::size_t rows = form_.sources.size() * 2;
  SLIPWAY_CHECK(count > 0 && windows.size() == count * 2 * segment && count <= group_size(batch) &&
                    stems.size() == count * rows * segment,
                "whole segments, as many as the group takes");
  const std::size_t per_lane = group_size(batch) / graph.lanes.size();
  std::vector<std::optional<base::Error>> errors(graph.lanes.size());
  const auto work = [&](std::size_t lane) {
    const std::size_t first = lane * per_lane;
    if (first >= count) return;
    const auto done = base::guarded("separating segments", [&] {
      return run_lane(graph, *graph.lanes[lane], std::min(per_lane, count - first),
                      windows.data() + first * 2 * segment, stems.data() + first * rows * segment, cancel);
    });
    if (!done) errors[lane] = done.error();
  };
  {
    std::vector<std::jthread> running;
    for (std::size_t lane = 1; lane < graph.lanes.size(); ++lane) running.emplace_back(work, lane);
    work(0);
  }
  for (auto& lane : graph.lanes) {
    times_.stft += std::exchange(lane->times.stft, {});
    times_.network += std::exchange(lane->times.network, {});
    times_.istft += std::exchange(lane->times.istft, {});
  }
  for (auto& error : errors) {
    if (error) return std::unexpected(std::move(*error));
  }
  return {};
}

}  // namespace slipway::pipelines::demucs
