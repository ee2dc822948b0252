#include "hub/executor/internal/placement_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::hub::executor {
namespace {

using runtime::ComputeUnit;

TEST(PlacementDocument, comes_back_as_it_was_written) {
  runtime::PlacementReport placement;
  placement.layers = {{"conv", "Conv", "QNNExecutionProvider", ComputeUnit::kNpu},
                      {"d\"e\xfft", "Det", "CPUExecutionProvider", ComputeUnit::kCpu}};
  placement.nodes_per_provider = {{"QNNExecutionProvider", 1}, {"CPUExecutionProvider", 1}};
  placement.partitions = 1;
  placement.is_emulated = true;
  const auto read = placement_from_document(placement_document(placement));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->summary(), placement.summary());
  EXPECT_EQ(read->nodes_per_provider, placement.nodes_per_provider);
  ASSERT_EQ(read->layers.size(), 2U);
  EXPECT_EQ(read->layers[0].name, "conv");
  EXPECT_EQ(read->layers[1].op_type, "Det");
  EXPECT_EQ(read->layers[1].unit, ComputeUnit::kCpu);
}

TEST(PlacementDocument, refuses_what_is_none) {
  for (const char* text : {"", "[]", R"({"schema":"other/1"})", R"({"schema":"slipway-placement/1"})",
                           R"({"schema":"slipway-placement/1","partitions":1,"is_emulated":true,"layers":[{}]})",
                           R"({"schema":"slipway-placement/1","partitions":1,"is_emulated":true,"layers":[
                              {"name":"a","type":"b","provider":"c","unit":"TPU"}]})"}) {
    const auto read = placement_from_document(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, base::Code::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace slipway::hub::executor
