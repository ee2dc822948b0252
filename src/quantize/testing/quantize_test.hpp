#pragma once

#include <map>
#include <memory>
#include <string>

#include "quantize/compare_outputs.hpp"
#include "quantize/quantize.hpp"
#include "quantize/testing/float_graph.hpp"
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "runtime/testing/environment.hpp"

namespace slipway::quantize::testing {

/// Quantises small models and runs them beside what they were made from.
class QuantizeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    environment_ = runtime::testing::environment();
    if (!environment_) GTEST_SKIP() << "needs ONNX Runtime (make setup)";
  }

  base::Result<Quantized> quantize_copy(const compile::onnx_graph::Model& model, const Options& options = {},
                                        std::int64_t samples = 8, double size = 1) {
    return quantize(environment_, model.copy_for_folder({}), normal_samples(model.summary().inputs, samples, size),
                    options);
  }

  /// Both models run, on other samples than those of calibration.
  ModelComparison compare(const compile::onnx_graph::Model& model, const Quantized& quantized, double size = 1) {
    const auto folder = base::TemporaryFolder::create("slipway-quantize-test").value();
    EXPECT_TRUE(model.write(folder.path() / "float.onnx"));
    EXPECT_TRUE(quantized.model.write(folder.path() / "quantized.onnx"));
    const auto compared = compare_outputs(environment_, folder.path() / "float.onnx", folder.path() / "quantized.onnx",
                                          quantized.model.summary(), normal_samples(model.summary().inputs, 6, size), 0,
                                          kLowestSqnrDb, {});
    EXPECT_TRUE(compared) << compared.error().message;
    return compared.value_or(ModelComparison{});
  }

  std::shared_ptr<runtime::Environment> environment_;
};

/// How many nodes of each type a model has.
inline std::map<std::string, int> operators_of(const compile::onnx_graph::Model& model) {
  std::map<std::string, int> counts;
  for (const auto& [name, count] : model.summary().op_counts) counts[name] = count;
  return counts;
}

}  // namespace slipway::quantize::testing
