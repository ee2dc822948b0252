#include "tensor/npz.hpp"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/shell.hpp"
#include "base/testing/value_of.hpp"
#include "tensor/npy.hpp"

namespace slipway::tensor {
namespace {

using base::testing::value_of;
namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kGolden = "tests/golden/tensor";

class Npz : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path path(std::string_view name) const { return folder_.path() / name; }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-npz").value();
};

std::string error_of(const fs::path& path) {
  const auto read = read_npz(path);
  if (read) return "no error";
  EXPECT_EQ(read.error().code, base::Code::kInvalidArgument);
  return read.error().message;
}

TEST_F(Npz, reads_what_numpy_wrote_in_order_with_every_dtype) {
  const auto tensors = value_of(read_npz(kGolden / "stored.npz"));
  ASSERT_EQ(tensors.size(), 15U);
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(tensors.at(i).name, dtype_name(tensors.at(i).tensor.dtype()));
    EXPECT_EQ(tensors.at(i).tensor.shape(), (Shape{2, 3}));
  }
  EXPECT_EQ(tensors.at(12).tensor.shape(), Shape{});
  EXPECT_EQ(tensors.at(12).tensor.values<float>()[0], 2.5F);
  EXPECT_EQ(tensors.at(13).tensor.shape(), (Shape{0, 4}));
  EXPECT_EQ(tensors.at(14).name, "größe/1");
  EXPECT_EQ(tensors.at(14).tensor.values<std::int64_t>()[4], 4);
}

TEST_F(Npz, reads_deflated_arrays) {
  const auto tensors = value_of(read_npz(kGolden / "deflated.npz"));
  const auto bytes = tensors.at(0).tensor.values<std::uint8_t>();
  ASSERT_EQ(bytes.size(), 64U * 256U);
  for (std::size_t i = 0; i < bytes.size(); ++i) ASSERT_EQ(bytes[i], i % 256);
}

TEST_F(Npz, gives_back_what_it_wrote) {
  const auto tensors = read_npz(kGolden / "stored.npz").value();
  ASSERT_TRUE(write_npz(path("copy.npz"), tensors));
  const auto copy = value_of(read_npz(path("copy.npz")));
  ASSERT_EQ(copy.size(), tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(copy.at(i).name, tensors[i].name);
    EXPECT_EQ(copy.at(i).tensor.dtype(), tensors[i].tensor.dtype());
    EXPECT_EQ(copy.at(i).tensor.shape(), tensors[i].tensor.shape());
    EXPECT_TRUE(std::ranges::equal(copy.at(i).tensor.bytes(), tensors[i].tensor.bytes()));
  }
}

TEST_F(Npz, is_read_by_numpy) {
  if (!fs::exists(base::testing::python_program())) GTEST_SKIP() << "no Python environment in .deps/venv";
  ASSERT_TRUE(write_npz(path("ours.npz"), read_npz(kGolden / "stored.npz").value()));
  const std::string program =
      "import numpy as np, sys; a = np.load(sys.argv[1]); b = np.load(sys.argv[2]); "
      "assert list(a) == list(b), (list(a), list(b)); "
      "assert all(a[k].dtype == b[k].dtype and a[k].shape == b[k].shape and (a[k] == b[k]).all() for k in a)";
  const auto numpy = base::testing::run_python({"-c", program, kGolden / "stored.npz", path("ours.npz")});
  EXPECT_EQ(numpy.status, 0) << numpy.err;
}

TEST_F(Npz, refuses_what_a_tensor_cannot_hold_and_names_the_entry) {
  EXPECT_THAT(error_of(kGolden / "fortran.npz"), ::testing::AllOf(HasSubstr("'f.npy'"), HasSubstr("Fortran order")));
  EXPECT_THAT(error_of(kGolden / "object.npz"), ::testing::AllOf(HasSubstr("'o.npy'"), HasSubstr("objects")));
  EXPECT_THAT(error_of(kGolden / "big_endian.npz"), ::testing::AllOf(HasSubstr("'b.npy'"), HasSubstr("big-endian")));
  EXPECT_THAT(error_of(kGolden / "complex.npz"), ::testing::AllOf(HasSubstr("'c.npy'"), HasSubstr("<c8")));
}

TEST_F(Npz, says_when_there_is_no_file) {
  const auto read = read_npz(path("none.npz"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, base::Code::kNotFound);
}

TEST_F(Npz, refuses_empty_and_random_files) {
  std::ofstream(path("empty.npz"));
  std::ofstream(path("random.npz")) << std::string(5000, '\x5A');
  EXPECT_THAT(error_of(path("empty.npz")), HasSubstr("not an .npz"));
  EXPECT_THAT(error_of(path("random.npz")), HasSubstr("not an .npz"));
}

TEST_F(Npz, refuses_a_file_cut_anywhere) {
  const std::string whole = base::read_file(kGolden / "deflated.npz", 1U << 20U).value();
  for (std::size_t size = 1; size < whole.size() * 2 / 3; size += 13) {
    std::ofstream(path("cut.npz"), std::ios::binary) << whole.substr(0, size);
    EXPECT_FALSE(read_npz(path("cut.npz"))) << size;
  }
}

TEST_F(Npz, refuses_a_header_whose_shape_does_not_fit_the_bytes) {
  std::string whole = base::read_file(kGolden / "agreement.npz", 1U << 20U).value();
  const auto at = whole.find("(3, 5, 7)");
  ASSERT_NE(at, std::string::npos);
  std::string larger = whole, smaller = whole, huge = whole;
  larger.replace(at, 9, "(3, 5, 8)");
  smaller.replace(at, 9, "(3, 5, 6)");
  huge.replace(at, 9, "(9999999,");
  huge.replace(at + 9, 12, "9999999,9), ");
  std::ofstream(path("larger.npz"), std::ios::binary) << larger;
  std::ofstream(path("smaller.npz"), std::ios::binary) << smaller;
  std::ofstream(path("huge.npz"), std::ios::binary) << huge;
  EXPECT_THAT(error_of(path("larger.npz")), HasSubstr("reference.npy"));
  EXPECT_THAT(error_of(path("smaller.npz")), HasSubstr("reference.npy"));
  EXPECT_THAT(error_of(path("huge.npz")), HasSubstr("reference.npy"));
}

TEST_F(Npz, refuses_to_write_what_numpy_lacks) {
  NamedTensors tensors;
  tensors.push_back({"b", Tensor::zeros(Dtype::kBfloat16, {1}).value()});
  const auto written = write_npz(path("b.npz"), tensors);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("bfloat16"));
}

TEST(NpyDictionary, is_read_strictly) {
  const auto header = value_of(parse_npy_dictionary("{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }   \n"));
  EXPECT_EQ(header.dtype, Dtype::kInt64);
  EXPECT_EQ(header.shape, Shape{3});
  for (const auto text :
       {"", "{", "{}", "{'descr': '<i8'}", "{'descr': '<i8', 'fortran_order': False, 'shape': (-3,), }",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), } x",
        "{'descr': '<i8', 'fortran_order': 0, 'shape': (3,)}",
        "{'descr': [('a', '<i8')], 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (99999999999999999999,)}"}) {
    EXPECT_FALSE(parse_npy_dictionary(text)) << text;
  }
}

}  // namespace
}  // namespace slipway::tensor
