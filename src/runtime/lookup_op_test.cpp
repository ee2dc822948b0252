#include <numeric>
#include <random>
#include <span>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"
#include "runtime/byte_lookup.hpp"
#include "runtime/testing/environment.hpp"

namespace slipway::runtime {
namespace {

using base::testing::value_of;
using namespace testing;  // NOLINT(google-build-using-namespace): one test
class Lookup : public ::testing::TestWithParam<const char*> {};

TEST_P(Lookup, gives_for_every_byte_what_numpy_gives) {
  const auto session = value_of(load_tiny(GetParam()));
  const Golden golden = golden_of(GetParam());
  const auto outputs = value_of(session.get()->run(golden.inputs));
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs.front().tensor.dtype(), golden.outputs.front().tensor.dtype());
  EXPECT_EQ(outputs.front().tensor.shape(), golden.outputs.front().tensor.shape());
  EXPECT_TRUE(std::ranges::equal(outputs.front().tensor.bytes(), golden.outputs.front().tensor.bytes()));
}

INSTANTIATE_TEST_SUITE_P(Types, Lookup, ::testing::Values("lookup_uint8", "lookup_int8"),
                         [](const auto& each) { return std::string(each.param); });

TEST(LookupOp, takes_tensors_of_any_length_on_several_threads) {
  SessionOptions options;
  options.intra_op_threads = 2;
  const auto session = value_of(load_tiny("lookup_uint8", options));
  const Golden golden = golden_of("lookup_uint8");  // its first 256 values are 0 … 255
  const auto table = golden.outputs.front().tensor.values<std::uint8_t>().first(256);
  std::mt19937 random(5);
  for (const std::int64_t count : {0, 1, 15, 63, 64, 65, 127, 32767, 32768, 32769, 100003, 1 << 20}) {
    tensor::Tensor x = *tensor::Tensor::zeros(tensor::Dtype::kUint8, {count});
    for (std::uint8_t& value : x.values<std::uint8_t>()) value = static_cast<std::uint8_t>(random());
    tensor::NamedTensors inputs;
    inputs.push_back({"x", std::move(x)});
    const auto outputs = value_of(session.get()->run(inputs));
    const std::span<const std::uint8_t> in = inputs.front().tensor.values<std::uint8_t>();
    const std::span<const std::uint8_t> out = outputs.front().tensor.values<std::uint8_t>();
    EXPECT_TRUE(std::ranges::equal(in, out, {}, [&](std::uint8_t value) { return table[value]; }))
        << count << " values";
  }
}

TEST(LookupOp, is_placed_on_the_cpu) {
  const auto session = value_of(load_tiny("lookup_uint8"));
  EXPECT_EQ(session.get()->placement().nodes_per_provider.at("CPUExecutionProvider"), 1);
}

class BadTable : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BadTable, is_refused_when_the_model_is_loaded) {
  const auto session = load_tiny(GetParam().first);
  ASSERT_FALSE(session);
  EXPECT_THAT(session.error().message, ::testing::HasSubstr(GetParam().second));
  EXPECT_THAT(session.error().message, ::testing::HasSubstr("QLinearLookup 'lookup'"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, BadTable,
                         ::testing::Values(std::pair("lookup_bad_short", "256 elements of the input's type, found 255"),
                                           std::pair("lookup_bad_long", "found 257"),
                                           std::pair("lookup_bad_float", "of another type"),
                                           std::pair("lookup_bad_signed", "of another type"),
                                           std::pair("lookup_bad_computed", "an initializer"),
                                           std::pair("lookup_bad_float_input", "an input of uint8 or int8")),
                         [](const auto& each) { return std::string(each.param.first); });

TEST(ByteLookup, may_write_over_its_input_and_writes_nothing_behind_it) {
  ByteTable table;
  std::iota(table.rbegin(), table.rend(), std::uint8_t{0});  // the complement
  std::vector<std::uint8_t> bytes(1000, 7);
  lookup_bytes(table, bytes.data(), 333, bytes.data());
  EXPECT_EQ(std::ranges::count(bytes, 248), 333);
  EXPECT_EQ(std::ranges::count(std::span(bytes).subspan(333), 7), 667);
}

}  // namespace
}  // namespace slipway::runtime
