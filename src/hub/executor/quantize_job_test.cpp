// Quantisations, whole, as the job's process executes them. Python's ONNX Runtime is the oracle.
#include <limits>

#include "quantize/range_scheme.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "hub/datasets/dataset_h5.hpp"
#include "hub/datasets/testing/python.hpp"
#include "hub/executor/testing/job_folder.hpp"

namespace slipway::hub::executor {
namespace {

namespace tiny = compile::onnx_graph::testing;
using domain::FailureType;
using domain::kinds::NumberType;
using domain::kinds::Quantize;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class QuantizeJob : public testing::JobFolderTest {
 protected:
  /// Seeded images for tiny::conv_net(); a bad one holds an infinity.
  void write_images(int good, int bad = 0, tensor::Shape shape = {1, 3, 16, 16}) {
    auto writer = datasets::DatasetWriter::create(job() / "in" / "dataset.h5", {"image"});
    ASSERT_TRUE(writer);
    std::uint32_t state = 7;
    for (int sample = 0; sample < good + bad; ++sample) {
      auto image = tensor::Tensor::zeros(tensor::Dtype::kFloat32, shape).value();
      for (float& value : image.values<float>()) {
        state = state * 1664525U + 1013904223U;
        value = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1;
      }
      if (sample >= good) image.values<float>()[5] = std::numeric_limits<float>::infinity();
      ASSERT_TRUE(writer->append({&image}));
    }
    ASSERT_TRUE(writer->finish());
    spec_.dataset_file = "dataset.h5";
  }
  domain::JobOutcome quantize(NumberType activations = NumberType::kInt8) {
    Quantize payload;
    payload.activations = activations;
    spec_.job.payload = payload;
    return run();
  }
};

TEST_F(QuantizeJob, makes_a_qdq_model_with_the_names_of_the_float_one) {
  SLIPWAY_NEEDS_PYTHON();
  tiny::write(model(), tiny::conv_net());
  write_images(4);
  const auto outcome = quantize();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_THAT(outcome.warnings, IsEmpty());
  const auto& result = std::get<Quantize::Result>(outcome.result);
  ASSERT_THAT(result.agreement, SizeIs(1));
  EXPECT_GT(result.agreement[0].snr_db, 25);
  EXPECT_THAT(result.agreement_note, HasSubstr("4 of the 4 calibration samples"));
  EXPECT_THAT(result.recipe, Contains(std::pair<std::string, std::string>("Range scheme", "min_max")));
  EXPECT_THAT(log_, Contains(HasSubstr("SQNR")));
  datasets::testing::run_python(R"(
import sys, onnx, onnxruntime as ort
source, made = (onnx.load(path) for path in sys.argv[1:])
for side in ("input", "output"):
    assert [v.name for v in getattr(made.graph, side)] == [v.name for v in getattr(source.graph, side)]
assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in made.graph.node}
assert onnx.TensorProto.INT8 in {t.data_type for t in made.graph.initializer}
ort.InferenceSession(sys.argv[2])
)",
                                {model(), out(result.target_file)});
}

TEST_F(QuantizeJob, gives_activations_16_bits_where_they_are_asked_for) {
  tiny::write(model(), tiny::conv_net());
  write_images(3);
  const auto in_8 = quantize();
  ASSERT_TRUE(in_8.succeeded) << in_8.failure_reason;
  clear();
  const auto in_16 = quantize(NumberType::kInt16);
  ASSERT_TRUE(in_16.succeeded) << in_16.failure_reason;
  EXPECT_GT(std::get<Quantize::Result>(in_16.result).agreement.at(0).snr_db,
            std::get<Quantize::Result>(in_8.result).agreement.at(0).snr_db);
}

TEST_F(QuantizeJob, takes_every_range_scheme_that_the_options_take) {
  for (const std::string_view scheme : domain::kRangeSchemes) {
    EXPECT_TRUE(quantize::scheme_of_name(scheme)) << scheme;
  }
}

TEST_F(QuantizeJob, leaves_samples_with_infinities_out_and_warns_of_them) {
  tiny::write(model(), tiny::conv_net());
  write_images(3, 1);
  const auto outcome = quantize();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  ASSERT_THAT(outcome.warnings, SizeIs(1));
  EXPECT_THAT(outcome.warnings[0], HasSubstr("sample 3: 1 in 'image'"));
  const auto& result = std::get<Quantize::Result>(outcome.result);
  EXPECT_THAT(result.agreement_note, HasSubstr("3 of the 4 calibration samples"));
  EXPECT_EQ(result.agreement.at(0).not_comparable, 0U);
}

TEST_F(QuantizeJob, says_that_the_data_is_at_fault) {
  tiny::write(model(), tiny::conv_net());
  write_images(0, 2);
  const auto no_number = quantize();
  EXPECT_EQ(no_number.failure_type, FailureType::kInvalidInputs);
  EXPECT_THAT(no_number.failure_reason, HasSubstr("every calibration sample holds NaN or infinities"));
  clear();
  std::filesystem::remove(job() / "in" / "dataset.h5");
  write_images(2, 0, {1, 3, 8, 8});
  const auto too_small = quantize();
  EXPECT_EQ(too_small.failure_type, FailureType::kInvalidInputs);
  EXPECT_THAT(too_small.failure_reason, ::testing::AllOf(HasSubstr("image"), HasSubstr("16,16"), HasSubstr("8,8")));
}

TEST_F(QuantizeJob, refuses_a_model_that_is_quantised_already) {
  tiny::write(model(), tiny::quantized_conv_net());
  write_images(2);
  const auto outcome = quantize();
  EXPECT_EQ(outcome.failure_type, FailureType::kUnsupported);
  EXPECT_THAT(outcome.failure_reason, HasSubstr("quantised already"));
}

}  // namespace
}  // namespace slipway::hub::executor
