#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "pipelines/common/model_folder.hpp"
#include "pipelines/common/picture_signature.hpp"
#include "pipelines/common/real_values.hpp"
#include "pipelines/mediapipe_common/signature.hpp"
#include "runtime/session.hpp"

namespace slipway::pipelines::mediapipe {

/// A network of pictures, ready to run on several at once.
///
/// One round: begin() says how many of those that wait the next run takes, input() of each of them, run(), values() of
/// each. A network with a free batch axis takes a whole batch or one; one of a fixed batch is also run when fewer
/// wait, with the other entries as they were.
/// @thread one object belongs to one thread
class Network {
 public:
  /// @param input    static, the batch in front
  /// @param outputs  the session's, with their quantisation
  /// @error as runtime::BoundRun::bind
  [[nodiscard]] static base::Result<Network> bind(std::unique_ptr<runtime::Session> session, const PictureTensor& input,
                                                  std::vector<tensor::TensorSpec> outputs);

  /// @param waiting  at least 1
  /// @return how many entries the next run takes, at least 1
  [[nodiscard]] std::size_t begin(std::size_t waiting);
  [[nodiscard]] std::span<std::byte> input(std::size_t entry);
  [[nodiscard]] base::Result<void> run();

  /// An output's real numbers of one entry, valid until the next run.
  /// @param count  of values an entry
  /// @error kInvalidArgument: another dtype or number of values than the signature's
  [[nodiscard]] base::Result<RealValues> values(std::size_t output, std::size_t entry, std::size_t count) const;

  [[nodiscard]] std::size_t batch() const { return bindings_.front().batch; }
  [[nodiscard]] runtime::Session& session() const { return *session_; }

 private:
  struct Binding {
    std::size_t batch;
    tensor::NamedTensors inputs;
    std::unique_ptr<runtime::BoundRun> bound;  // holds references to inputs
  };
  [[nodiscard]] base::Result<void> add_binding(const tensor::TensorSpec& input, std::int64_t batch);

  std::unique_ptr<runtime::Session> session_;
  std::vector<tensor::TensorSpec> output_specs_;
  std::vector<Binding> bindings_;  // the whole batch and, where the axis is free, one
  std::size_t current_ = 0;
  const tensor::NamedTensors* outputs_ = nullptr;
};

/// Where a network comes from, and what its description says beyond the file.
struct NetworkFile {
  std::filesystem::path path;
  std::optional<std::pair<float, float>> input_range;  ///< real values of pixels 0 and 255, when the description says
  Quantizations quantization;                          ///< of integer inputs and outputs, by name
};

/// The networks of a pipeline.
struct Models {
  std::filesystem::path model;     ///< a model folder with the graphs `detector` and `landmark`, or a detector's file
  std::filesystem::path landmark;  ///< the landmark network's file or folder; empty: the model folder's
};

/// The files of both networks.
struct ModelFiles {
  NetworkFile detector;
  std::optional<NetworkFile> landmark;  ///< nothing: a bare detector, or a folder without that graph
};

/// @error as ModelFolder::open and graph; kInvalidArgument: `pre.range` is not [low, high]
[[nodiscard]] base::Result<ModelFiles> find_files(const Models& models);

/// How pictures are to be written for a network that sees 0 … 255 as low … high.
[[nodiscard]] media::PictureInput picture_input_of(const PictureTensor& picture, std::pair<float, float> range);

}  // namespace slipway::pipelines::mediapipe
