#include "hub/executor/format.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "hub/datasets/testing/python.hpp"
#include "hub/executor/archive.hpp"
#include "hub/executor/tflite_signature.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using datasets::testing::run_python;
using ::testing::HasSubstr;

class FormatOf : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = base::TemporaryFolder::create("slipway-format-test-");
    ASSERT_TRUE(folder);
    root_.emplace(std::move(*folder));
  }
  [[nodiscard]] fs::path file(const char* name = "upload") const { return root_->path() / name; }
  void write(std::string_view bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }
  /// A zip made by Python: names separated by blanks, each holding a few bytes.
  void write_zip(const std::string& names) const {
    run_python(R"(
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z:
    for name in sys.argv[2].split():
        z.writestr(name, b"abc")
)",
               {file(), names});
  }
  std::optional<base::TemporaryFolder> root_;
};

TEST_F(FormatOf, tells_formats_by_their_marks) {
  write("");
  EXPECT_EQ(format_of(file()), Format::kEmpty);
  write(std::string("\x1c\0\0\0TFL3 and more", 17));
  EXPECT_EQ(format_of(file()), Format::kTflite);
  write("\x89HDF\r\n\x1a\n...");
  EXPECT_EQ(format_of(file()), Format::kHdf5);
  write("<html>502 Bad Gateway</html>");
  EXPECT_EQ(format_of(file()), Format::kText);
  write("PK\x03\x04 cut off");
  EXPECT_EQ(format_of(file()), Format::kDamagedZip);
  write(std::string("\x08\x08\x12\x00\xff\xfe", 6));
  EXPECT_EQ(format_of(file()), Format::kUnmarked);
}

TEST_F(FormatOf, tells_zips_by_what_they_hold) {
  SLIPWAY_NEEDS_PYTHON();
  write_zip("net/data.pkl net/constants.pkl net/code/__torch__.py net/version");
  EXPECT_EQ(format_of(file()), Format::kTorchScript);
  write_zip("net/models/model.json net/data/weights/weight_0 net/archive_format");
  EXPECT_EQ(format_of(file()), Format::kTorchExportedProgram);
  write_zip("net/model.onnx net/model.data");
  EXPECT_EQ(format_of(file()), Format::kModelFolder);
  write_zip("holiday.jpg");
  EXPECT_EQ(format_of(file()), Format::kOtherZip);
}

TEST_F(FormatOf, finds_the_onnx_file_of_a_folder_and_refuses_other_contents) {
  SLIPWAY_NEEDS_PYTHON();
  write_zip("net/model.onnx net/model.data");
  const auto onnx = onnx_file_of(file(), root_->path() / "a");
  ASSERT_TRUE(onnx) << onnx.error().message;
  EXPECT_EQ(onnx->filename(), "model.onnx");
  EXPECT_TRUE(fs::exists(onnx->parent_path() / "model.data"));
  write_zip("net/model.onnx net/a.data net/b.data");
  EXPECT_THAT(onnx_file_of(file(), root_->path() / "b").error().message, HasSubstr("more than one .data"));
  write_zip("net/model.onnx net/run.sh");
  EXPECT_THAT(onnx_file_of(file(), root_->path() / "c").error().message, HasSubstr("run.sh"));
  write_zip("net/model.data");
  EXPECT_THAT(onnx_file_of(file(), root_->path() / "d").error().message, HasSubstr("no .onnx"));
  write("not a zip");
  EXPECT_EQ(onnx_file_of(file(), root_->path() / "e").value(), file());
}

TEST_F(FormatOf, reads_the_signature_that_litert_reads) {
  SLIPWAY_NEEDS_PYTHON();
  const fs::path assets = ".deps/assets";
  std::vector<fs::path> models;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(assets, error)) {
    if (entry.path().extension() == ".tflite") models.push_back(entry.path());
  }
  if (models.empty()) GTEST_SKIP() << "needs the models of `make setup`";
  for (const auto& model : models) {
    const auto signature = read_tflite_signature(model);
    ASSERT_TRUE(signature) << model << signature.error().message;
    std::string mine;
    for (const auto* side : {&signature->inputs, &signature->outputs}) {
      for (const auto& spec : *side) mine += spec.name + " " + tensor::to_string(spec.dtype, spec.shape) + "\n";
    }
    std::ofstream(file("mine")) << mine;
    run_python(R"(
import sys, numpy as np
from ai_edge_litert.interpreter import Interpreter
i = Interpreter(model_path=sys.argv[1])
text = ""
for d in i.get_input_details() + i.get_output_details():
    shape = ",".join("?" if n < 0 else str(n) for n in (d["shape_signature"] if len(d["shape_signature"]) else d["shape"]))
    text += f'{d["name"]} {np.dtype(d["dtype"]).name}[{shape}]\n'
mine = open(sys.argv[2]).read()
assert text == mine, f"LiteRT:\n{text}\nours:\n{mine}"
)",
               {fs::absolute(model), file("mine")});
  }
  // Every cut is noticed: the weights, the tables or the root lie outside.
  const auto bytes = base::read_file(models.front(), 1U << 28).value();
  for (const double part : {0.999, 0.9, 0.5, 0.1, 0.01}) {
    write(bytes.substr(0, static_cast<std::size_t>(part * static_cast<double>(bytes.size()))));
    EXPECT_FALSE(read_tflite_signature(file())) << part;
  }
}

}  // namespace
}  // namespace slipway::hub::executor
