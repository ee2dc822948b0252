#include "compile/compiler_profile.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"

namespace slipway::compile {
namespace {

using ::testing::HasSubstr;

/// Lines as QAIRT 2.50 writes them for soc_model 52.
constexpr std::string_view kHeader =
    "Msg Timestamp,Message,Time,Unit of Measurement,Timing Source,Event Level,Event Identifier\n";
constexpr std::string_view kPredictions =
    "0,FINALIZE,16241,US,BACKEND,ROOT,QNN (finalize) time\n"
    "0,BACKEND,17156,CYCLES,BACKEND,SUB-EVENT,Simulated (Accelerator exec cycles)\n"
    "0,BACKEND,11,US,BACKEND,SUB-EVENT,Simulated (Accelerator exec time us)\n"
    "0,BACKEND,10,US,BACKEND,SUB-EVENT,Simulated (Accelerator exec time us (lower estimate))\n"
    "0,BACKEND,13,US,BACKEND,SUB-EVENT,Simulated (Accelerator exec time us (upper estimate))\n"
    "0,BACKEND,32768,BYTES,BACKEND,SUB-EVENT,Input Fill\n"
    "0,BACKEND,512,BYTES,BACKEND,SUB-EVENT,Intermediate Fill\n"
    "0,BACKEND,256,BYTES,BACKEND,SUB-EVENT,Intermediate Spill\n"
    "0,BACKEND,2048,BYTES,BACKEND,SUB-EVENT,Output Spill\n";

class CompilerProfileFile : public ::testing::Test {
 protected:
  base::Result<CompilerProfile> read(std::string_view text) {
    std::ofstream(folder_.path() / "profile.csv") << text;
    return read_compiler_profile(folder_.path() / "profile.csv");
  }
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("profile-test").value();
};

TEST_F(CompilerProfileFile, predictions_are_read_with_their_bounds) {
  const auto profile = read(std::string(kHeader) + std::string(kPredictions));
  ASSERT_TRUE(profile);
  ASSERT_TRUE(profile->estimate);
  EXPECT_EQ(profile->estimate->nominal_us, 11);
  EXPECT_EQ(profile->estimate->lower_us, 10);
  EXPECT_EQ(profile->estimate->upper_us, 13);
  ASSERT_TRUE(profile->traffic);
  EXPECT_EQ(profile->traffic->input_fill, 32768U);
  EXPECT_EQ(profile->traffic->intermediate_fill, 512U);
  EXPECT_EQ(profile->traffic->intermediate_spill, 256U);
  EXPECT_EQ(profile->traffic->output_spill, 2048U);
}

TEST_F(CompilerProfileFile, several_graphs_add_up) {
  const auto profile = read(std::string(kHeader) + std::string(kPredictions) + std::string(kPredictions));
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->estimate->nominal_us, 22);
  EXPECT_EQ(profile->traffic->output_spill, 4096U);
}

TEST_F(CompilerProfileFile, times_of_the_emulator_are_never_an_estimate) {
  const auto profile = read(std::string(kHeader) +
                            "0,EXECUTE,46000,US,BACKEND,ROOT,QNN (execute) time\n"
                            "0,BACKEND,45000,US,BACKEND,SUB-EVENT,Accelerator (execute) time\n");
  ASSERT_TRUE(profile);
  EXPECT_FALSE(profile->estimate);
  EXPECT_FALSE(profile->traffic);
}

TEST_F(CompilerProfileFile, another_file_is_refused) {
  EXPECT_THAT(read("a,b\n1,2\n").error().message, HasSubstr("expected columns Time"));
  EXPECT_FALSE(read(""));
  EXPECT_EQ(read_compiler_profile(folder_.path() / "missing.csv").error().code, base::Code::kNotFound);
}

}  // namespace
}  // namespace slipway::compile
