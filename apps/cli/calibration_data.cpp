#include "apps/cli/calibration_data.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "hub/datasets/dataset_h5.hpp"
#include "tensor/npz.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::fail;
using base::Result;
using hub::datasets::DatasetReader;
using tensor::NamedTensors;
using tensor::Shape;
using tensor::Tensor;
using tensor::TensorSpec;

std::string names_of(const std::vector<TensorSpec>& inputs) {
  std::vector<std::string> names;
  for (const auto& input : inputs) names.push_back(fmt::format("'{}' {}", input.name, tensor::to_string(input)));
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<void> check_names(const std::vector<std::string>& found, const std::vector<TensorSpec>& inputs) {
  for (const auto& input : inputs) {
    if (std::ranges::find(found, input.name) != found.end()) continue;
    return fail(Code::kInvalidArgument, "the calibration data has no '{}'; expected {}, found {}", input.name,
                names_of(inputs), fmt::join(found, ", "));
  }
  for (const auto& name : found) {
    if (std::ranges::find(inputs, name, &TensorSpec::name) != inputs.end()) continue;
    return fail(Code::kInvalidArgument, "the calibration data has '{}', which is no input of the model; expected {}",
                name, names_of(inputs));
  }
  return {};
}

std::unexpected<base::Error> unfit(const TensorSpec& input, tensor::Dtype dtype, const Shape& shape) {
  return fail(Code::kInvalidArgument, "calibration data for '{}': expected {}, found {}", input.name,
              tensor::to_string(input), tensor::to_string(dtype, shape));
}

// .npz ---------------------------------------------------------------------------------------------------------------

/// How an array holds samples.
struct Layout {
  std::int64_t samples = 1;
  Shape sample_shape;
};

std::optional<Layout> layout_of(const TensorSpec& input, const Shape& shape) {
  if (tensor::shape_accepts(input, shape)) return Layout{1, shape};
  if (shape.empty()) return std::nullopt;
  const Shape rest(shape.begin() + 1, shape.end());
  if (tensor::shape_accepts(input, rest)) return Layout{shape.front(), rest};
  if (input.shape.size() != shape.size() || input.shape.front() != 1) return std::nullopt;
  Shape one = shape;
  one.front() = 1;
  if (!tensor::shape_accepts(input, one)) return std::nullopt;
  return Layout{shape.front(), one};
}

/// One file that is open: a folder is read file by file.
class NpzSamples {
 public:
  NpzSamples(std::vector<fs::path> files, std::vector<TensorSpec> inputs)
      : files_(std::move(files)), inputs_(std::move(inputs)) {}

  Result<void> count() {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const auto counted = load(i);
      if (!counted) return std::unexpected(counted.error().with(files_[i].string()));
      counts_.push_back(samples_);
    }
    return {};
  }

  [[nodiscard]] std::int64_t total() const {
    std::int64_t sum = 0;
    for (const std::int64_t count : counts_) sum += count;
    return sum;
  }

  Result<NamedTensors> read(std::int64_t sample) {
    std::size_t file = 0;
    while (sample >= counts_[file]) sample -= counts_[file++];
    if (file != open_) {
      const auto loaded = load(file);
      if (!loaded) return std::unexpected(loaded.error().with(files_[file].string()));
    }
    NamedTensors made;
    for (const TensorSpec& input : inputs_) {
      const auto array = std::ranges::find(arrays_, input.name, &tensor::NamedTensor::name);
      if (array == arrays_.end()) return fail(Code::kInternal, "the calibration data changed while it was read");
      const auto layout = layout_of(input, array->tensor.shape());
      const std::size_t bytes =
          array->tensor.size_bytes() / static_cast<std::size_t>(std::max<std::int64_t>(layout->samples, 1));
      SLIPWAY_ASSIGN(Tensor tensor,
                     Tensor::copy_of(array->tensor.dtype(), layout->sample_shape,
                                     array->tensor.bytes().subspan(static_cast<std::size_t>(sample) * bytes, bytes)));
      made.push_back({input.name, std::move(tensor)});
    }
    return made;
  }

 private:
  Result<void> load(std::size_t file) {
    SLIPWAY_ASSIGN(arrays_, tensor::read_npz(files_[file]));
    std::vector<std::string> names;
    for (const auto& array : arrays_) names.push_back(array.name);
    SLIPWAY_TRY(check_names(names, inputs_));
    std::optional<std::int64_t> samples;
    for (const TensorSpec& input : inputs_) {
      const Tensor& array = std::ranges::find(arrays_, input.name, &tensor::NamedTensor::name)->tensor;
      const auto layout = layout_of(input, array.shape());
      if (!layout || array.dtype() != input.dtype) return unfit(input, array.dtype(), array.shape());
      if (samples && *samples != layout->samples) {
        return fail(Code::kInvalidArgument, "'{}' holds {} samples where '{}' holds {}", input.name, layout->samples,
                    inputs_.front().name, *samples);
      }
      samples = layout->samples;
    }
    samples_ = samples.value_or(0);
    open_ = file;
    return {};
  }

  std::vector<fs::path> files_;
  std::vector<TensorSpec> inputs_;
  std::vector<std::int64_t> counts_;
  std::int64_t samples_ = 0;  ///< of the file that is open
  std::size_t open_ = 0;
  NamedTensors arrays_;
};

Result<quantize::Samples> open_npz(std::vector<fs::path> files, const std::vector<TensorSpec>& inputs) {
  const auto samples = std::make_shared<NpzSamples>(std::move(files), inputs);
  SLIPWAY_TRY(samples->count());
  return quantize::Samples{samples->total(), [samples](std::int64_t sample) { return samples->read(sample); }};
}

Result<std::vector<fs::path>> npz_files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".npz") files.push_back(entry.path());
  }
  if (files.empty()) return fail(Code::kInvalidArgument, "{}: the folder holds no .npz file", folder.string());
  std::ranges::sort(files);
  return files;
}

// .h5 ----------------------------------------------------------------------------------------------------------------

Result<quantize::Samples> open_h5(const fs::path& path, const std::vector<TensorSpec>& inputs) {
  SLIPWAY_ASSIGN(DatasetReader opened, DatasetReader::open(path));
  const auto reader = std::make_shared<DatasetReader>(std::move(opened));
  std::vector<std::string> names;
  for (const auto& entry : reader->entries()) names.push_back(entry.name);
  SLIPWAY_TRY(check_names(names, inputs));
  for (const TensorSpec& input : inputs) {
    const auto& entry = *std::ranges::find(reader->entries(), input.name, &hub::domain::DatasetEntry::name);
    for (const Shape& shape : entry.shapes) {
      if (!tensor::shape_accepts(input, shape) || entry.dtype != input.dtype) return unfit(input, entry.dtype, shape);
    }
  }
  return quantize::Samples{reader->sample_count(), [reader](std::int64_t sample) -> Result<NamedTensors> {
                             NamedTensors made;
                             for (std::size_t i = 0; i < reader->entries().size(); ++i) {
                               SLIPWAY_ASSIGN(Tensor tensor, reader->read(i, sample));
                               made.push_back({reader->entries()[i].name, std::move(tensor)});
                             }
                             return made;
                           }};
}

}  // namespace

Result<quantize::Samples> open_calibration_data(const fs::path& path, const std::vector<TensorSpec>& inputs) {
  std::error_code error;
  if (!fs::exists(path, error)) return fail(Code::kNotFound, "{}: no such file or folder", path.string());
  Result<quantize::Samples> samples = fail(Code::kInvalidArgument, "");
  if (fs::is_directory(path, error)) {
    SLIPWAY_ASSIGN(auto files, npz_files_of(path));
    samples = open_npz(std::move(files), inputs);
  } else if (path.extension() == ".h5" || path.extension() == ".hdf5") {
    samples = open_h5(path, inputs);
  } else if (path.extension() == ".npz") {
    samples = open_npz({path}, inputs);
  } else {
    return fail(Code::kInvalidArgument, "{}: calibration data is a data set (.h5), an .npz, or a folder of .npz files",
                path.string());
  }
  if (!samples) return std::unexpected(samples.error().with(path.string()));
  if (samples->count == 0) return fail(Code::kInvalidArgument, "{}: it holds no sample", path.string());
  return samples;
}

}  // namespace slipway::cli
