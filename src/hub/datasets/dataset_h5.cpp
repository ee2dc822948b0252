#include "hub/datasets/dataset_h5.hpp"

#include <algorithm>
#include <set>

#include "base/files.hpp"
#include "hub/datasets/internal/h5.hpp"

namespace slipway::hub::datasets {
namespace {

using base::Code;
using base::fail;
using h5::Handle;

constexpr std::uint64_t kLargestSampleBytes = 4ULL << 30;
constexpr std::int64_t kMostSamples = 1'000'000;
constexpr hsize_t kMostEntries = 10'000;

template <typename... Args>
std::unexpected<base::Error> wrong(fmt::format_string<Args...> format, Args&&... args) {
  return fail(Code::kInvalidArgument, "not a dataset: {}", fmt::format(format, std::forward<Args>(args)...));
}

struct OpenEntry {
  Handle group;
  std::int64_t order = -1;  ///< -1: the attribute is absent
  std::string label;        ///< the subgroup's own name
  domain::DatasetEntry about;
};

/// Only what is in the file itself: a soft or external link may name anything.
bool is_hard_link(hid_t group, const char* name) {
  H5L_info_t info{};
  return H5Lexists(group, name, H5P_DEFAULT) > 0 && H5Lget_info(group, name, &info, H5P_DEFAULT) >= 0 &&
         info.type == H5L_TYPE_HARD;
}

base::Result<Handle> open_group(hid_t parent, const char* name, std::string_view where) {
  if (!is_hard_link(parent, name)) return wrong("expected the group \"{}\" in {}, found none", name, where);
  Handle group(H5Gopen2(parent, name, H5P_DEFAULT), H5Gclose);
  if (!group) return wrong("\"{}\" in {} is not a group", name, where);
  return group;
}

base::Result<std::optional<std::int64_t>> integer_attribute(hid_t group, const char* name, const std::string& label) {
  if (H5Aexists(group, name) <= 0) return std::optional<std::int64_t>();
  const Handle attribute(H5Aopen(group, name, H5P_DEFAULT), H5Aclose);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  std::int64_t value = 0;
  if (!type || H5Tget_class(type.get()) != H5T_INTEGER || H5Sget_simple_extent_npoints(space.get()) != 1 ||
      H5Aread(attribute.get(), H5T_NATIVE_INT64, &value) < 0) {
    return wrong("the attribute \"{}\" of \"data/{}\" must be one integer", name, label);
  }
  return std::optional(value);
}

base::Result<std::string> name_attribute(hid_t group, const std::string& label) {
  if (H5Aexists(group, "name") <= 0) return wrong("\"data/{}\" has no attribute \"name\"", label);
  const Handle attribute(H5Aopen(group, "name", H5P_DEFAULT), H5Aclose);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  if (!type || H5Tget_class(type.get()) != H5T_STRING || H5Sget_simple_extent_npoints(space.get()) != 1) {
    return wrong("the attribute \"name\" of \"data/{}\" must be one string", label);
  }
  if (H5Tis_variable_str(type.get()) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute.get(), type.get(), &text) < 0 || text == nullptr) {
      return wrong("the attribute \"name\" of \"data/{}\" cannot be read", label);
    }
    std::string name(text);
    H5free_memory(text);
    return name;
  }
  std::string name(H5Tget_size(type.get()), '\0');
  if (name.size() > 4096 || H5Aread(attribute.get(), type.get(), name.data()) < 0) {
    return wrong("the attribute \"name\" of \"data/{}\" cannot be read", label);
  }
  name.resize(std::min(name.find('\0'), name.size()));
  return name;
}

/// The type and shape of a sample, checked without reading it.
base::Result<std::pair<tensor::Dtype, tensor::Shape>> describe_sample(hid_t group, const std::string& label,
                                                                      std::int64_t index) {
  const std::string name = fmt::format("batch_{}", index);
  if (!is_hard_link(group, name.c_str())) return wrong("\"data/{}/{}\" is missing", label, name);
  const Handle array(H5Dopen2(group, name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!array) return wrong("\"data/{}/{}\" is not an array", label, name);
  const Handle type(H5Dget_type(array.get()), H5Tclose);
  const auto dtype = h5::dtype_of(type.get());
  if (!dtype) {
    return wrong("\"data/{}/{}\" holds {}, expected float16, float32, bool, int8, int16, int32, int64, uint8 or uint16",
                 label, name, h5::describe_type(type.get()));
  }
  const Handle plan(H5Dget_create_plist(array.get()), H5Pclose);
  if (H5Pget_external_count(plan.get()) > 0 || H5Pget_layout(plan.get()) == H5D_VIRTUAL) {
    return wrong("\"data/{}/{}\" keeps its values in another file: refused", label, name);
  }
  const Handle space(H5Dget_space(array.get()), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank < 0 || rank > H5S_MAX_RANK) return wrong("\"data/{}/{}\" has no shape", label, name);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank) + 1);
  H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr);
  tensor::Shape shape;
  for (int axis = 0; axis < rank; ++axis) {
    shape.push_back(static_cast<std::int64_t>(sizes[static_cast<std::size_t>(axis)]));
  }
  if (!tensor::element_count(shape)) return wrong("\"data/{}/{}\" has an impossible shape", label, name);
  return std::pair(*dtype, std::move(shape));
}

base::Result<OpenEntry> open_entry(hid_t data, const std::string& label) {
  OpenEntry entry;
  entry.label = label;
  SLIPWAY_ASSIGN(entry.group, open_group(data, label.c_str(), "\"data\""));
  SLIPWAY_ASSIGN(const auto order, integer_attribute(entry.group.get(), "order", label));
  entry.order = order.value_or(-1);
  SLIPWAY_ASSIGN(entry.about.name, name_attribute(entry.group.get(), label));
  SLIPWAY_ASSIGN(const auto count, integer_attribute(entry.group.get(), "batch_count", label));
  if (!count) return wrong("\"data/{}\" has no attribute \"batch_count\"", label);
  if (*count < 0 || *count > kMostSamples) return wrong("\"data/{}\" says that it has {} samples", label, *count);
  entry.about.sample_count = *count;
  bool all_agree = true;
  for (std::int64_t sample = 0; sample < *count; ++sample) {
    SLIPWAY_ASSIGN(auto about, describe_sample(entry.group.get(), label, sample));
    if (sample == 0) entry.about.dtype = about.first;
    if (about.first != entry.about.dtype) {
      return wrong("the samples of \"{}\" have different types: {} and {}", entry.about.name,
                   tensor::dtype_name(entry.about.dtype), tensor::dtype_name(about.first));
    }
    all_agree = all_agree && (sample == 0 || about.second == entry.about.shapes.front());
    entry.about.shapes.push_back(std::move(about.second));
  }
  if (all_agree && entry.about.shapes.size() > 1) entry.about.shapes.resize(1);
  return entry;
}

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

base::Result<void> put_in_order(std::vector<OpenEntry>& entries) {
  if (entries.empty()) return {};
  const auto without = std::count_if(entries.begin(), entries.end(), [](const auto& entry) { return entry.order < 0; });
  if (without == static_cast<std::ptrdiff_t>(entries.size())) return {};  // an older file: as the subgroups are named
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.order < b.order; });
  for (std::size_t index = 0; index < entries.size(); ++index) {
    if (entries[index].order != static_cast<std::int64_t>(index)) {
      return wrong("the attributes \"order\" must be 0 to {} without gaps, found {} for \"{}\"", entries.size() - 1,
                   entries[index].order, entries[index].about.name);
    }
  }
  return {};
}

}  // namespace

struct DatasetReader::State {
  Handle file;
  std::vector<Handle> groups;
  std::vector<domain::DatasetEntry> entries;
};

DatasetReader::DatasetReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
DatasetReader::~DatasetReader() = default;
DatasetReader::DatasetReader(DatasetReader&&) noexcept = default;
DatasetReader& DatasetReader::operator=(DatasetReader&&) noexcept = default;

const std::vector<domain::DatasetEntry>& DatasetReader::entries() const {
  return state_->entries;
}

std::int64_t DatasetReader::sample_count() const {
  return state_->entries.empty() ? 0 : state_->entries.front().sample_count;
}

base::Result<DatasetReader> DatasetReader::open(const std::filesystem::path& path) {
  h5::prepare();
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return fail(Code::kNotFound, "{} is not a file", path.filename().string());
  }
  if (H5Fis_hdf5(path.c_str()) <= 0) return wrong("the file is not HDF5");
  auto state = std::make_unique<State>();
  state->file = Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!state->file) return wrong("the HDF5 file cannot be opened ({})", h5::last_error());
  SLIPWAY_ASSIGN(const auto data, open_group(state->file.get(), "data", "the file"));
  std::vector<std::string> labels;
  H5G_info_t info{};
  if (H5Gget_info(data.get(), &info) < 0) return wrong("the group \"data\" cannot be read ({})", h5::last_error());
  if (info.nlinks > kMostEntries) return wrong("\"data\" holds {} entries, more than {}", info.nlinks, kMostEntries);
  if (H5Literate(data.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &labels) < 0) {
    return wrong("the group \"data\" cannot be read ({})", h5::last_error());
  }
  const auto shorter_first = [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;  // "2" before "10"
  };
  std::sort(labels.begin(), labels.end(), shorter_first);
  std::vector<OpenEntry> entries;
  for (const auto& label : labels) {
    SLIPWAY_ASSIGN(auto entry, open_entry(data.get(), label));
    entries.push_back(std::move(entry));
  }
  SLIPWAY_TRY(put_in_order(entries));
  std::set<std::string> names;
  for (auto& entry : entries) {
    if (!names.insert(entry.about.name).second) return wrong("two entries are called \"{}\"", entry.about.name);
    if (entry.about.sample_count != entries.front().about.sample_count) {
      return wrong("\"{}\" has {} samples and \"{}\" has {}: every entry needs the same number",
                   entries.front().about.name, entries.front().about.sample_count, entry.about.name,
                   entry.about.sample_count);
    }
    state->groups.push_back(std::move(entry.group));
    state->entries.push_back(std::move(entry.about));
  }
  return DatasetReader(std::move(state));
}

base::Result<tensor::Tensor> DatasetReader::read(std::size_t entry, std::int64_t sample) const {
  if (entry >= state_->entries.size() || sample < 0 || sample >= state_->entries[entry].sample_count) {
    return fail(Code::kOutOfRange, "the dataset has no sample {} of entry {}", sample, entry);
  }
  const auto& about = state_->entries[entry];
  const auto& shape = about.shapes[about.shapes.size() == 1 ? 0 : static_cast<std::size_t>(sample)];
  const auto elements = tensor::element_count(shape);
  if (!elements ||
      static_cast<std::uint64_t>(*elements) > kLargestSampleBytes / tensor::dtype_size_bytes(about.dtype)) {
    return fail(Code::kResourceExhausted, "sample {} of \"{}\" is {}: more than 4 GiB", sample, about.name,
                tensor::to_string(about.dtype, shape));
  }
  SLIPWAY_ASSIGN(auto values, tensor::Tensor::zeros(about.dtype, shape));
  const Handle array(H5Dopen2(state_->groups[entry].get(), fmt::format("batch_{}", sample).c_str(), H5P_DEFAULT),
                     H5Dclose);
  const Handle type = h5::type_of(about.dtype);
  if (values.size_bytes() > 0 &&
      H5Dread(array.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.bytes().data()) < 0) {
    return fail(Code::kInvalidArgument, "sample {} of \"{}\" cannot be read, the dataset is damaged ({})", sample,
                about.name, h5::last_error());
  }
  return values;
}

bool is_dataset_dtype(tensor::Dtype dtype) {
  h5::prepare();
  return static_cast<bool>(h5::type_of(dtype));
}

domain::Inspection inspection_of(const DatasetReader& reader) {
  domain::Inspection inspection;
  inspection.format = "hdf5 dataset";
  inspection.facts["samples"] = std::to_string(reader.sample_count());
  for (const domain::DatasetEntry& entry : reader.entries()) {
    domain::DatasetEntry kept = entry;
    kept.shapes.clear();
    std::set<tensor::Shape> seen;
    for (const tensor::Shape& shape : entry.shapes) {
      if (seen.insert(shape).second && kept.shapes.size() < kMostShapesKept) kept.shapes.push_back(shape);
    }
    if (seen.size() > kept.shapes.size()) {
      inspection.facts["shapes of " + entry.name] =
          fmt::format("{}; the first {} are listed", seen.size(), kept.shapes.size());
    }
    inspection.entries.push_back(std::move(kept));
  }
  return inspection;
}

}  // namespace slipway::hub::datasets
