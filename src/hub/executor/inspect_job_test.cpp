// Inspections of what strangers upload.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "hub/datasets/dataset_h5.hpp"
#include "hub/datasets/testing/python.hpp"
#include "hub/executor/testing/job_folder.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using datasets::DatasetWriter;
namespace tiny = compile::onnx_graph::testing;
using datasets::testing::run_python;
using domain::ModelType;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class InspectJob : public testing::JobFolderTest {};

TEST_F(InspectJob, inspects_an_onnx_model) {
  tiny::write(model(), tiny::conv_net(true));
  const auto found = inspect();
  EXPECT_EQ(found.format, "onnx");
  EXPECT_THAT(found.error, IsEmpty());
  ASSERT_THAT(found.inputs, SizeIs(1));
  EXPECT_EQ(found.inputs[0].spec.name, "image");
  EXPECT_EQ(found.inputs[0].spec.shape, (tensor::Shape{-1, 3, 16, 16}));
  EXPECT_EQ(found.outputs.at(0).spec.name, "scores");
}

TEST_F(InspectJob, inspects_a_folder_with_external_data) {
  SLIPWAY_NEEDS_PYTHON();
  run_python(R"(
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
    z.writestr("net.onnx/", "")
    z.write("tests/golden/models/external.onnx", "net.onnx/model.onnx")
    z.write("tests/golden/models/external.data", "net.onnx/external.data")
)",
             {model()});
  const auto found = inspect();
  EXPECT_EQ(found.error, "");
  EXPECT_EQ(found.format, "onnx directory");
  EXPECT_THAT(found.inputs, Not(IsEmpty()));
}

TEST_F(InspectJob, says_that_external_data_is_missing) {
  fs::copy_file("tests/golden/models/external.onnx", model());
  EXPECT_THAT(inspect().error, ::testing::AllOf(HasSubstr("external.data"), HasSubstr("uploaded as its folder")));
}

TEST_F(InspectJob, refuses_truncated_empty_random_and_foreign_uploads_in_words) {
  const auto good = tiny::conv_net();
  const std::vector<std::pair<std::string, std::string>> uploads = {
      {"", "the upload is empty"},
      {good.substr(0, good.size() / 2), "declared as an ONNX model"},
      {std::string("\xff\xfe\x00\x01\x80\x90 random", 14), "declared as an ONNX model"},
      {"<html>not found</html>", "found text"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "found text"},
      {"\x89HDF\r\n\x1a\n", "an HDF5 file"},
      {"PK\x03\x04 cut", "zip"},
  };
  for (const auto& [bytes, words] : uploads) {
    tiny::write(model(), bytes);
    const auto found = inspect();
    EXPECT_THAT(found.error, ::testing::AnyOf(HasSubstr(words), HasSubstr("ONNX"))) << bytes.substr(0, 20);
    EXPECT_THAT(found.error, Not(IsEmpty())) << bytes.substr(0, 20);
    EXPECT_THAT(found.format, IsEmpty());
  }
}

TEST_F(InspectJob, refuses_external_data_that_climbs_out_of_its_folder) {
  tiny::write(model(), tiny::external_weight_net({{"location", "../../../etc/passwd"}, {"length", "8"}}));
  EXPECT_THAT(inspect().error, HasSubstr("../../../etc/passwd"));
}

TEST_F(InspectJob, takes_a_model_for_what_it_is_whatever_was_declared) {
  tiny::write(model(), tiny::conv_net());
  spec_.models[0].model.type = ModelType::kTflite;
  const auto found = inspect();
  EXPECT_EQ(found.format, "onnx");
  EXPECT_THAT(found.facts.at("declared"), HasSubstr("TFLite"));
  spec_.models[0].model.type = ModelType::kQnnContextBinary;
  tiny::write(model(), std::string("\x00\x00\x00\x02\x00\x00\x00\x03", 8));
  EXPECT_EQ(inspect().format, "qnn context binary");
  spec_.models[0].model.type = ModelType::kTorchScript;
  EXPECT_THAT(inspect().error, HasSubstr("declared as a TorchScript model, but found bytes of no known format"));
}

TEST_F(InspectJob, inspects_a_trace_of_pytorch_without_running_it) {
  fs::copy_file("tests/golden/convert/torch_script/picture.pt", model());
  spec_.models[0].model.type = ModelType::kTorchScript;
  const auto found = inspect();
  EXPECT_EQ(found.format, "torchscript");
  EXPECT_THAT(found.error, IsEmpty());
  EXPECT_THAT(found.inputs, IsEmpty()) << "TorchScript declares none";
  EXPECT_EQ(found.facts.at("inputs of the example"), "picture float32[1,8,6,3]");
  EXPECT_THAT(found.facts.at("operators"), HasSubstr("3 aten._convolution"));
}

TEST_F(InspectJob, finds_hostile_pickles_unusable_and_what_needs_specs_usable) {
  spec_.models[0].model.type = ModelType::kTorchScript;
  fs::copy_file("tests/golden/convert/torch_script/hostile_overlapping.pt", model());
  EXPECT_THAT(inspect().error, HasSubstr("each element at a place of its own"));
  fs::copy_file("tests/golden/convert/torch_script/branch_on_data.pt", model(), fs::copy_options::overwrite_existing);
  const auto found = inspect();
  EXPECT_THAT(found.error, IsEmpty());
  EXPECT_THAT(found.facts.at("not converted"), HasSubstr("the way taken depends on data"));
}

TEST_F(InspectJob, inspects_a_dataset) {
  spec_.models.clear();
  spec_.dataset_file = "dataset.h5";
  auto writer = DatasetWriter::create(job() / "in" / "dataset.h5", {"image"});
  ASSERT_TRUE(writer);
  const auto values = tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 3, 8, 8}).value();
  for (int sample = 0; sample < 3; ++sample) ASSERT_TRUE(writer->append({&values}));
  ASSERT_TRUE(writer->finish());
  const auto found = inspect();
  EXPECT_EQ(found.format, "hdf5 dataset");
  EXPECT_EQ(found.entries.at(0).sample_count, 3);
  tiny::write(job() / "in" / "dataset.h5", "no dataset");
  EXPECT_THAT(inspect().error, HasSubstr("a dataset is an HDF5 file, but found text"));
}

}  // namespace
}  // namespace slipway::hub::executor
