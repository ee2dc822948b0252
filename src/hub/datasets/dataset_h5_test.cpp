#include "hub/datasets/dataset_h5.hpp"

#include <cstring>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/file_size_limit.hpp"
#include "hub/datasets/testing/python.hpp"

namespace slipway::hub::datasets {
namespace {

namespace fs = std::filesystem;
using tensor::Dtype;
using tensor::Tensor;
using ::testing::HasSubstr;
using testing::run_python;

class Dataset : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = base::TemporaryFolder::create("slipway-dataset-test-");
    ASSERT_TRUE(folder);
    root_.emplace(std::move(*folder));
  }
  [[nodiscard]] fs::path file() const { return root_->path() / "d.h5"; }
  void expect_refused(const std::string& words) {
    const auto reader = DatasetReader::open(file());
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().code, base::Code::kInvalidArgument);
    EXPECT_THAT(reader.error().message, HasSubstr(words));
  }
  std::optional<base::TemporaryFolder> root_;
};

TEST_F(Dataset, reads_what_the_official_client_writes) {
  SLIPWAY_NEEDS_PYTHON();
  run_python(R"(
import sys, h5py, numpy as np
from qai_hub.util.dataset_entries_converters import dataset_entries_to_h5
types = ["float16", "float32", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16"]
data = {f"eingang_ä_{t}": [(np.arange(6).reshape(2, 3) * 3 + s).astype(t) for s in range(12)] for t in types}
data["ragged"] = [np.ones((s + 1, 2), np.float32) * s for s in range(12)]
data["empty"] = [np.zeros((0, 4), np.float32)] * 12
with h5py.File(sys.argv[1], "w") as f:
    dataset_entries_to_h5(data, f)
)",
             {file()});
  const auto reader = DatasetReader::open(file());
  ASSERT_TRUE(reader) << reader.error().message;
  ASSERT_EQ(reader->entries().size(), 11U);
  EXPECT_EQ(reader->sample_count(), 12);
  EXPECT_EQ(reader->entries()[0].name, "eingang_ä_float16");
  EXPECT_EQ(reader->entries()[2].dtype, Dtype::kBool);
  EXPECT_EQ(reader->entries()[8].dtype, Dtype::kUint16);
  EXPECT_EQ(reader->entries()[1].shapes, (std::vector<tensor::Shape>{{2, 3}}));
  EXPECT_EQ(reader->entries()[9].shapes.size(), 12U);
  EXPECT_EQ(reader->entries()[9].shapes[10], (tensor::Shape{11, 2}));
  const auto floats = reader->read(1, 11);
  ASSERT_TRUE(floats) << floats.error().message;
  EXPECT_THAT(floats->values<float>(), ::testing::ElementsAre(11, 14, 17, 20, 23, 26));
  const auto halves = reader->read(0, 0);
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->values<std::uint16_t>()[1], 0x4200);  // 3.0 in IEEE half precision
  const auto bools = reader->read(2, 0);
  ASSERT_TRUE(bools);
  EXPECT_THAT(bools->values<std::uint8_t>(), ::testing::ElementsAre(0, 1, 1, 1, 1, 1));
  EXPECT_EQ(reader->read(10, 3)->size_bytes(), 0U);
  EXPECT_EQ(reader->read(0, 12).error().code, base::Code::kOutOfRange);
}

TEST_F(Dataset, keeps_each_shape_once_and_says_when_there_are_more_than_anybody_reads) {
  auto writer = DatasetWriter::create(file(), {"x", "y"});
  ASSERT_TRUE(writer) << writer.error().message;
  for (std::int64_t sample = 0; sample < 2500; ++sample) {
    const auto x = tensor::Tensor::zeros(Dtype::kUint8, {sample / 2}),
               y = tensor::Tensor::zeros(Dtype::kUint8, {sample % 2});
    ASSERT_TRUE(writer->append({&*x, &*y}));
  }
  ASSERT_TRUE(writer->finish());
  const auto reader = DatasetReader::open(file());
  ASSERT_TRUE(reader) << reader.error().message;
  const auto inspection = inspection_of(*reader);
  EXPECT_EQ(inspection.entries[0].shapes.size(), kMostShapesKept);
  EXPECT_EQ(inspection.entries[0].shapes[1], (tensor::Shape{1}));
  EXPECT_EQ(inspection.entries[0].sample_count, 2500);
  EXPECT_EQ(inspection.facts.at("shapes of x"), "1250; the first 1000 are listed");
  EXPECT_EQ(inspection.entries[1].shapes, (std::vector<tensor::Shape>{{0}, {1}}));
  EXPECT_FALSE(inspection.facts.contains("shapes of y"));
}

TEST_F(Dataset, writes_what_the_official_client_reads) {
  SLIPWAY_NEEDS_PYTHON();
  const std::vector<Dtype> dtypes = {Dtype::kFloat16, Dtype::kFloat32, Dtype::kBool,  Dtype::kInt8,  Dtype::kInt16,
                                     Dtype::kInt32,   Dtype::kInt64,   Dtype::kUint8, Dtype::kUint16};
  std::vector<std::string> names;
  for (const auto dtype : dtypes) names.push_back("ausgang_ö_" + std::string(tensor::dtype_name(dtype)));
  names.insert(names.end(), {"large", "empty", "number"});
  auto writer = DatasetWriter::create(file(), names);
  ASSERT_TRUE(writer) << writer.error().message;
  for (int sample = 0; sample < 11; ++sample) {
    std::vector<Tensor> tensors;
    for (const auto dtype : dtypes) {
      auto values = Tensor::zeros(dtype, {2, 3}).value();
      if (dtype == Dtype::kFloat16) {
        for (auto& value : values.values<std::uint16_t>()) value = 0x4200;
      } else if (dtype == Dtype::kFloat32) {
        for (auto& value : values.values<float>()) value = static_cast<float>(sample) + 0.5F;
      } else {
        values.bytes()[0] = std::byte{1};
      }
      tensors.push_back(std::move(values));
    }
    tensors.push_back(Tensor::zeros(Dtype::kFloat32, {3, 700, 700}).value());
    tensors.back().values<float>()[1'469'999] = 7;
    tensors.push_back(Tensor::zeros(Dtype::kFloat32, {0, 4}).value());
    tensors.push_back(Tensor::zeros(Dtype::kInt64, {}).value());
    std::vector<const Tensor*> pointers;
    for (const auto& values : tensors) pointers.push_back(&values);
    ASSERT_TRUE(writer->append(pointers));
  }
  const auto finished = writer->finish();
  ASSERT_TRUE(finished) << finished.error().message;
  run_python(R"(
import sys, h5py, numpy as np
from qai_hub.util.dataset_entries_converters import h5_to_dataset_entries
with h5py.File(sys.argv[1], "r") as f:
    data = h5_to_dataset_entries(f)
    group = f["data/3"]
    assert group.attrs["order"].dtype == np.int64 and group.attrs["batch_count"].dtype == np.int64
    assert isinstance(group.attrs["name"], str)
    kind = group.attrs.get_id("name").get_type()
    assert kind.is_variable_str() and kind.get_cset() == h5py.h5t.CSET_UTF8
    array = f["data/1/batch_0"]
    assert array.compression == "gzip" and array.compression_opts == 4 and not array.shuffle
types = ["float16", "float32", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16"]
assert list(data) == ["ausgang_ö_" + t for t in types] + ["large", "empty", "number"], list(data)
for t in types:
    samples = data["ausgang_ö_" + t]
    assert len(samples) == 11 and all(s.dtype == np.dtype(t) and s.shape == (2, 3) for s in samples), (t, samples[0])
assert (data["ausgang_ö_float16"][0] == 3.0).all()
assert (data["ausgang_ö_float32"][10] == 10.5).all()
assert data["ausgang_ö_int32"][0][0, 0] == 1 and data["ausgang_ö_bool"][0][0, 0]
assert data["large"][4].shape == (3, 700, 700) and data["large"][4][2, 699, 699] == 7
assert data["empty"][0].shape == (0, 4) and data["number"][0].shape == ()
)",
             {file()});
  const auto reader = DatasetReader::open(file());
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->read(1, 10)->values<float>()[0], 10.5F);
}

TEST_F(Dataset, refuses_empty_random_and_truncated_files) {
  std::ofstream(file()).close();
  expect_refused("not HDF5");
  std::ofstream(file()) << std::string(5000, 'r');
  expect_refused("not HDF5");
  auto writer = DatasetWriter::create(file(), {"x"});
  ASSERT_TRUE(writer);
  const auto values = Tensor::zeros(Dtype::kFloat32, {64, 64}).value();
  ASSERT_TRUE(writer->append({&values}));
  ASSERT_TRUE(writer->finish());
  ASSERT_TRUE(DatasetReader::open(file()));
  fs::resize_file(file(), fs::file_size(file()) - 100);
  expect_refused("cannot be opened");
}

struct WrongLayout {
  const char* name;
  const char* python;  ///< what is done to the file `f`
  const char* words;
};

class WrongDataset : public Dataset, public ::testing::WithParamInterface<WrongLayout> {};

TEST_P(WrongDataset, is_refused_in_words) {
  SLIPWAY_NEEDS_PYTHON();
  run_python(std::string(R"(
import sys, h5py, numpy as np
def entry(f, index, name, arrays, **attributes):
    for i, a in enumerate(arrays):
        f.create_dataset(f"data/{index}/batch_{i}", data=a)
    f.require_group(f"data/{index}").attrs.update({"order": index, "name": name, "batch_count": len(arrays)} | attributes)
ones = np.ones((2, 2), np.float32)
with h5py.File(sys.argv[1], "w") as f:
    )") + GetParam().python,
             {file()});
  expect_refused(GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(
    layouts, WrongDataset,
    ::testing::Values(
        WrongLayout{"no_data_group", "f['x'] = ones", "expected the group \"data\""},
        WrongLayout{"flat_arrays", "f['data/x'] = ones", "is not a group"},
        WrongLayout{"no_name", "entry(f, 0, 'x', [ones]); del f['data/0'].attrs['name']", "no attribute \"name\""},
        WrongLayout{"no_count", "entry(f, 0, 'x', [ones]); del f['data/0'].attrs['batch_count']", "\"batch_count\""},
        WrongLayout{"count_too_large", "entry(f, 0, 'x', [ones], batch_count=3)", "\"data/0/batch_1\" is missing"},
        WrongLayout{"count_is_absurd", "entry(f, 0, 'x', [ones], batch_count=2**60)", "samples"},
        WrongLayout{"float64", "entry(f, 0, 'x', [ones.astype('float64')])", "a float of 64 bits"},
        WrongLayout{"strings", "entry(f, 0, 'x', [np.array([b'abc'])])", "strings"},
        WrongLayout{"other_numbers_of_samples", "entry(f, 0, 'x', [ones]); entry(f, 1, 'y', [ones, ones])",
                    "every entry needs the same number"},
        WrongLayout{"gap_in_order", "entry(f, 0, 'x', [ones]); entry(f, 1, 'y', [ones], order=2)", "without gaps"},
        WrongLayout{"same_name_twice", "entry(f, 0, 'x', [ones]); entry(f, 1, 'x', [ones])", "two entries"},
        WrongLayout{"mixed_types", "entry(f, 0, 'x', [ones, ones.astype('int32')])", "different types"},
        WrongLayout{"external_link", "f['data/0'] = h5py.ExternalLink('/etc/passwd', '/data')", "found none"},
        WrongLayout{"external_storage",
                    "entry(f, 0, 'x', []); f.create_dataset('data/0/batch_0', (4,), 'uint8', "
                    "external=[('/etc/passwd', 0, 4)]); f['data/0'].attrs['batch_count'] = 1",
                    "in another file"},
        WrongLayout{"virtual",
                    "entry(f, 0, 'x', []); v = h5py.VirtualLayout((4,), 'uint8'); v[:] = "
                    "h5py.VirtualSource('/etc/passwd', 'x', (4,)); f.create_virtual_dataset('data/0/batch_0', v); "
                    "f['data/0'].attrs['batch_count'] = 1",
                    "in another file"}),
    [](const auto& about) { return about.param.name; });

TEST_F(Dataset, says_that_the_disk_is_full) {
  std::mt19937 random(1);
  auto noise = Tensor::zeros(Dtype::kUint8, {200'000}).value();
  for (std::byte& byte : noise.bytes()) byte = static_cast<std::byte>(random());
  auto writer = DatasetWriter::create(file(), {"x"});
  ASSERT_TRUE(writer);
  const base::testing::FileSizeLimit limit(50'000);
  auto outcome = writer->append({&noise});
  if (outcome) outcome = writer->finish();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, base::Reason::kOutOfDisk) << outcome.error().message;
}

TEST_F(Dataset, tells_of_damaged_and_absurd_samples_when_they_are_read) {
  SLIPWAY_NEEDS_PYTHON();
  run_python(R"(
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "w") as f:
    f.create_dataset("data/0/batch_0", data=np.random.default_rng(0).normal(size=(100, 100)).astype("float32"),
                     compression="gzip", chunks=(100, 100))
    f.create_dataset("data/1/batch_0", shape=(2**40,), dtype="float32", chunks=(1024,))
    for i, n in enumerate("xy"):
        f[f"data/{i}"].attrs.update({"order": i, "name": n, "batch_count": 1})
    offset = f["data/0/batch_0"].id.get_chunk_info(0).byte_offset
with open(sys.argv[1], "r+b") as f:
    f.seek(offset + 1000); f.write(bytes(64))
)",
             {file()});
  const auto reader = DatasetReader::open(file());
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_THAT(reader->read(0, 0).error().message, HasSubstr("damaged"));
  EXPECT_EQ(reader->read(1, 0).error().code, base::Code::kResourceExhausted);
}

}  // namespace
}  // namespace slipway::hub::datasets
