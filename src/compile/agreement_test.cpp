#include "compile/agreement.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/value_of.hpp"
#include "compile/agreement_rule.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "runtime/testing/environment.hpp"
#include "tensor/npz.hpp"

namespace slipway::compile {
namespace {

using base::testing::value_of;
namespace models = onnx_graph::testing;
using base::Code;
using tensor::Dtype;
using tensor::Tensor;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

template <typename T>
Tensor tensor_of(Dtype dtype, const std::vector<T>& values) {
  return Tensor::copy_of(dtype, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values))).value();
}
Tensor floats(const std::vector<float>& values) {
  return tensor_of(Dtype::kFloat32, values);
}
tensor::TensorSpec output_of(Dtype dtype) {
  return {.name = "y", .dtype = dtype, .shape = {-1}, .quantization = std::nullopt};
}
std::string alarm(const Tensor& source, const Tensor& result) {
  return judge_output(output_of(source.dtype()), source, result)->alarm;
}

TEST(AgreementRule, small_differences_of_floats_agree) {
  EXPECT_EQ(alarm(floats({1, -1, 0.5F}), floats({1.01F, -1, 0.5F})), "");
}

TEST(AgreementRule, too_much_noise_is_an_alarm) {
  // Each element is off by a fifth of itself: 14 dB.
  EXPECT_THAT(alarm(floats({10, 0.1F, 0.1F}), floats({8, 0.1F, 0.1F})), HasSubstr("signal to noise is 14.0 dB"));
}

TEST(AgreementRule, one_element_far_off_is_an_alarm_however_many_others_agree) {
  std::vector<float> values(10000, 1.0F);
  const Tensor source = floats(values);
  values[77] = 1.5F;
  const auto judged = judge_output(output_of(Dtype::kFloat32), source, floats(values));
  EXPECT_GT(judged->agreement.snr_db, kLowestSnrDb);
  EXPECT_THAT(judged->alarm, HasSubstr("0.5 of the peak"));
}

TEST(AgreementRule, what_cannot_be_compared_is_counted_first) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  EXPECT_THAT(alarm(floats({1, 2, 3, 4}), floats({1, 2, kInf, -kInf})),
              ::testing::StartsWith("2 of 4 elements cannot be compared"));
}

TEST(AgreementRule, the_sources_own_nans_are_no_alarm_unless_there_is_nothing_else) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(alarm(floats({kNan, 2}), floats({7, 2})), "");
  const auto judged = judge_output(output_of(Dtype::kFloat32), floats({kNan, kNan}), floats({kNan, 1}));
  EXPECT_THAT(judged->alarm, HasSubstr("nothing was compared"));
  EXPECT_FALSE(judged->was_compared());
}

TEST(AgreementRule, integers_are_equal_or_are_not) {
  const std::vector<std::int64_t> classes{1, 2, 3, 4, 5, 6, 7, 8, 9, 1000};
  auto found = classes;
  found[9] = 3;  // far off, but one of ten
  EXPECT_EQ(alarm(tensor_of(Dtype::kInt64, classes), tensor_of(Dtype::kInt64, found)), "");
  found[0] = 2;
  EXPECT_THAT(alarm(tensor_of(Dtype::kInt64, classes), tensor_of(Dtype::kInt64, found)),
              HasSubstr("8 of 10 elements are equal"));
}

TEST(AgreementRule, quantised_numbers_are_compared_as_what_they_stand_for) {
  // A quantum beside the zero point: of the stored numbers half a percent, of what they stand for everything.
  auto output = output_of(Dtype::kUint8);
  output.quantization = tensor::Quantization{.scale = 0.1F, .zero_point = 128};
  const auto source = tensor_of<std::uint8_t>(Dtype::kUint8, {128, 129, 128});
  EXPECT_NE(judge_output(output, source, tensor_of<std::uint8_t>(Dtype::kUint8, {128, 128, 128}))->alarm, "");
  EXPECT_EQ(judge_output(output, source, tensor_of<std::uint8_t>(Dtype::kUint8, {128, 129, 128}))->alarm, "");
}

/// Compares the model in net.onnx with another file, as if a compiler had made that of it.
class CompareWithSource : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!runtime::testing::environment()) GTEST_SKIP() << "needs ONNX Runtime";
    std::filesystem::create_directory(folder() / "out");
    request_.output_folder = folder() / "out";
    request_.model = folder() / "net.onnx";
  }
  std::filesystem::path folder() const { return folder_.path(); }

  base::Result<Comparison> compare(const std::string& source, const std::string& result) {
    models::write(request_.model, source);
    models::write(folder() / "result.onnx", result);
    auto prepared = prepare(runtime::testing::environment(), request_, [](std::string_view) {});
    if (!prepared) return std::unexpected(prepared.error());
    Candidate candidate;
    candidate.model = folder() / "result.onnx";
    candidate.executor = "the CPU";
    return compare_with_source(runtime::testing::environment(), request_, *prepared, candidate);
  }

  CompileRequest request_;
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("agreement-test").value();
};

TEST_F(CompareWithSource, gives_the_difference_of_two_models_and_not_of_one_with_itself) {
  const auto near = value_of(compare(models::scaling_net(1), models::scaling_net(1.05F)));
  ASSERT_THAT(near.outputs, SizeIs(1));
  EXPECT_NEAR(near.outputs[0].agreement.relative_max, 0.05, 1e-4);
  EXPECT_EQ(near.standing, Standing::kAgrees);
  EXPECT_THAT(near.warnings, IsEmpty());

  const auto far = value_of(compare(models::scaling_net(1), models::scaling_net(1.5F)));
  EXPECT_NEAR(far.outputs[0].agreement.relative_max, 0.5, 1e-4);
  EXPECT_EQ(far.standing, Standing::kDiffers);
  EXPECT_THAT(far.warnings, ::testing::ElementsAre(AllOf(HasSubstr("Output 'y'"), HasSubstr("0.5 of the peak"))));
}

TEST_F(CompareWithSource, tells_what_happens_far_outside_of_the_range_as_a_note) {
  const auto found = compare(models::scaling_net(1), models::scaling_net(1));
  ASSERT_TRUE(found);
  EXPECT_THAT(found->note, HasSubstr("x -1 to 1"));
  EXPECT_THAT(found->remarks, ::testing::ElementsAre(
                                  AllOf(HasSubstr("wide-range probe (x -100 to 100)"), HasSubstr("agrees as well"))));
}

TEST_F(CompareWithSource, gives_a_source_no_negative_numbers_when_it_makes_nan_of_them) {
  const auto found = compare(models::root_net(), models::root_net());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->standing, Standing::kAgrees);
  EXPECT_THAT(found->note, HasSubstr("x 0 to 1"));
  EXPECT_EQ(found->outputs[0].agreement.reference_nan, 0);
}

TEST_F(CompareWithSource, says_that_an_output_of_a_random_operator_cannot_be_compared) {
  const auto found = compare(models::noisy_net(true), models::noisy_net(false));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->standing, Standing::kNotCompared);
  EXPECT_THAT(found->warnings, ::testing::ElementsAre(AllOf(HasSubstr("'y'"), HasSubstr("other values at each run"))));
  ASSERT_THAT(found->outputs, SizeIs(1));
  EXPECT_EQ(found->outputs[0].output, "kept");
}

TEST_F(CompareWithSource, compares_the_first_run_of_a_random_operator_with_a_seed) {
  const auto found = compare(models::noisy_net(true), models::noisy_net(true));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->standing, Standing::kAgrees) << found->warnings.front();
  EXPECT_THAT(found->outputs, SizeIs(2));
}

TEST_F(CompareWithSource, a_result_that_cannot_be_loaded_is_no_result) {
  const auto found = compare(models::scaling_net(1), "no model");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kInternal);
  EXPECT_THAT(found.error().message, HasSubstr("the result was made but cannot be loaded"));
}

TEST_F(CompareWithSource, left_out_for_time_says_so_and_can_be_overruled) {
  request_.agreement_limit = std::chrono::seconds(0);
  const auto found = compare(models::scaling_net(1), models::scaling_net(1));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->standing, Standing::kNotCompared);
  EXPECT_THAT(found->warnings, Contains(AllOf(HasSubstr("left out for time"), HasSubstr("compare limit"))));
  request_.comparing = Comparing::kToTheEnd;
  EXPECT_EQ(compare(models::scaling_net(1), models::scaling_net(1))->standing, Standing::kAgrees);
}

TEST_F(CompareWithSource, takes_the_users_own_inputs) {
  tensor::NamedTensors inputs;
  inputs.push_back({"x", floats(std::vector<float>(64, 2.0F))});
  request_.check_inputs = folder() / "own.npz";
  ASSERT_TRUE(tensor::write_npz(request_.check_inputs, inputs));
  const auto found = value_of(compare(models::scaling_net(1), models::scaling_net(1.05F)));
  EXPECT_NEAR(found.outputs[0].agreement.max_abs, 0.1, 1e-6);
  EXPECT_THAT(found.note, HasSubstr("inputs of own.npz"));

  inputs[0].name = "z";
  ASSERT_TRUE(tensor::write_npz(request_.check_inputs, inputs));
  EXPECT_EQ(compare(models::scaling_net(1), models::scaling_net(1)).error().code, Code::kInvalidArgument);
}

TEST_F(CompareWithSource, indices_and_masks_are_filled_over_their_whole_range) {
  const auto found = compare(models::masked_lookup_net(), models::masked_lookup_net());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->standing, Standing::kAgrees);
  EXPECT_THAT(found->note, HasSubstr("ids 0 to 29, mask 0 to 1"));
}

}  // namespace
}  // namespace slipway::compile
