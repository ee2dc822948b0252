#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hub/domain/types.hpp"
#include "tensor/tensor.hpp"

/// Datasets in the official client's HDF5 layout: group `data`; subgroups `0`, `1`, … with the attributes `order`,
/// `name` and `batch_count`; in each the arrays `batch_0`, `batch_1`, …, one a sample.
/// @thread libhdf5 is not safe for threads: one thread of a process at a time
/// @source python package qai_hub, util/dataset_entries_converters.py
namespace slipway::hub::datasets {

/// An open dataset; samples are read one at a time.
class DatasetReader {
 public:
  /// Opens a file and checks the whole layout without reading a sample.
  /// @error kInvalidArgument: not HDF5, truncated, another layout, a type that datasets cannot hold, entries with
  ///        different numbers of samples, data kept outside the file (what was expected and found is named)
  [[nodiscard]] static base::Result<DatasetReader> open(const std::filesystem::path& path);
  ~DatasetReader();
  DatasetReader(DatasetReader&&) noexcept;
  DatasetReader& operator=(DatasetReader&&) noexcept;

  /// In the order of the `order` attributes. Here an entry has a shape for each sample, or one when all agree.
  [[nodiscard]] const std::vector<domain::DatasetEntry>& entries() const;
  [[nodiscard]] std::int64_t sample_count() const;

  /// @error kOutOfRange: no such entry or sample; kInvalidArgument: the bytes cannot be read (damaged);
  ///        kResourceExhausted: a sample of more than 4 GiB
  [[nodiscard]] base::Result<tensor::Tensor> read(std::size_t entry, std::int64_t sample) const;

 private:
  struct State;
  explicit DatasetReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What the hub keeps of a dataset: each shape of an entry once, in the order of their appearance, and no more than
/// kMostShapesKept of them. The facts say when there are more; whoever runs the samples checks every one.
[[nodiscard]] domain::Inspection inspection_of(const DatasetReader& reader);
inline constexpr std::size_t kMostShapesKept = 1000;

/// Writes a dataset sample by sample.
class DatasetWriter {
 public:
  /// @error of base::errno_error: the file cannot be made
  [[nodiscard]] static base::Result<DatasetWriter> create(const std::filesystem::path& path,
                                                          const std::vector<std::string>& entry_names);
  ~DatasetWriter();
  DatasetWriter(DatasetWriter&&) noexcept;
  DatasetWriter& operator=(DatasetWriter&&) noexcept;

  /// Adds the next sample: one tensor for each entry, in their order.
  /// @error kInvalidArgument: another number of tensors, or a type that datasets cannot hold
  [[nodiscard]] base::Result<void> append(const std::vector<const tensor::Tensor*>& tensors);

  /// Writes the counts and closes the file. Call once, last.
  [[nodiscard]] base::Result<void> finish();

 private:
  struct State;
  explicit DatasetWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The types that a dataset can hold, as a list for messages.
[[nodiscard]] bool is_dataset_dtype(tensor::Dtype dtype);

}  // namespace slipway::hub::datasets
