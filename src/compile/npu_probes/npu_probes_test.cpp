#include <csignal>
#include <fstream>
#include <set>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/child_process.hpp"
#include "base/files.hpp"
#include "compile/npu_probes/behaviour_table.hpp"
#include "runtime/environment.hpp"

namespace slipway::compile::npu_probes {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr runtime::HtpTarget kSm8650{.soc_model = 57, .htp_arch = 75};
/// For graphs that take a fraction of a second; a compiler that does not finish is ended after it.
constexpr unsigned kSecondsForAProbe = 10;

base::Result<std::shared_ptr<runtime::Environment>> environment_with_qnn() {
  SLIPWAY_ASSIGN(const auto paths, runtime::locate_libraries(runtime::htp_provider().name));
  return runtime::Environment::open(paths);
}

/// What a probe does in a process of its own: the compiler may take this one with it.
Verdict verdict_of(const Probe& probe) {
  const auto child = base::start_copy(SIGKILL, [&] {
    ::alarm(kSecondsForAProbe);
    const auto environment = environment_with_qnn();
    const Verdict verdict = environment ? run_probe(*environment, probe, kSm8650, true).verdict : Verdict::kNoReference;
    ::_exit(static_cast<int>(verdict));
  });
  const base::ProcessEnd end = base::wait_for(child.value());
  if (end.signal == 0) return static_cast<Verdict>(end.status);
  return end.signal == SIGALRM ? Verdict::kUnfinished : Verdict::kCrashes;
}

bool has_qnn() {
  const auto paths = runtime::locate_libraries(runtime::htp_provider().name);
  return paths && std::filesystem::exists(paths->qnn_folder / "libQnnHtp.so");
}

TEST(KnownFaultsOnTheEmulator, each_shows_in_the_graph_as_it_is_and_not_in_the_rewritten_one) {
  if (!has_qnn()) GTEST_SKIP() << "needs the QNN plug-in";
  std::vector<Probe> probes;
  add_known_faults(probes);
  for (const Probe& probe : probes) {
    if (probe.fault->is_slow) continue;  // the emulator itself takes minutes for a million numbers
    const Verdict verdict = verdict_of(probe);
    if (probe.is_rewritten) {
      const Verdict wanted = probe.fault->avoid == nullptr ? Verdict::kRefused : Verdict::kRight;
      EXPECT_EQ(verdict, wanted) << probe.id() << ": " << verdict_name(verdict);
    } else {
      EXPECT_NE(verdict, Verdict::kRight) << probe.id() << ": the fault is gone; say so in its row";
      EXPECT_NE(verdict, Verdict::kNoReference) << probe.id();
    }
  }
}

TEST(Probes, what_is_right_and_what_no_npu_knows_is_told_apart) {
  if (!has_qnn()) GTEST_SKIP() << "needs the QNN plug-in";
  Probe probe{.operator_name = "Relu", .shape = "rank 4"};
  probe.draw = [](Sketch& sketch) { sketch.output(sketch.node("Relu", {sketch.input({1, 3, 4, 8})})); };
  EXPECT_EQ(verdict_of(probe), Verdict::kRight);
  probe.kind = ElementKind::kQuantizedUint8;
  EXPECT_EQ(verdict_of(probe), Verdict::kRight);
  probe.kind = ElementKind::kFloat32;
  probe.draw = [](Sketch& sketch) { sketch.output(sketch.node("Det", {sketch.input({2, 4, 4})})); };
  EXPECT_EQ(verdict_of(probe), Verdict::kRefused);
  probe.draw = [](Sketch& sketch) { sketch.output(sketch.node("NoSuchOperator", {sketch.input({2, 4, 4})})); };
  EXPECT_EQ(verdict_of(probe), Verdict::kNoReference);
}

TEST(Probes, each_has_a_name_of_its_own) {
  std::set<std::string> ids;
  for (const Probe& probe : all_probes()) EXPECT_TRUE(ids.insert(probe.id()).second) << probe.id();
  EXPECT_GT(ids.size(), 500U);
}

class BehaviourTables : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "table.json"; }
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("behaviour").value();
  BehaviourTable table_{
      .qairt_version = "2.50.40",
      .onnxruntime_version = "1.31.1",
      .chip = "SM8650 (HTP v75)",
      .is_emulated = true,
      .rows = {{"Add", "float32", "rank 4", {.verdict = Verdict::kRight}},
               {"Cast", "uint8", "to float32", {.verdict = Verdict::kWrong, .difference = 1}},
               {"Tile", "float32", "rank 5", {.verdict = Verdict::kCrashes, .detail = "signal \"11\""}}}};
};

TEST_F(BehaviourTables, are_read_as_they_were_written) {
  ASSERT_TRUE(write_table(table_, path()));
  const auto read = read_table(path());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->qairt_version, "2.50.40");
  EXPECT_EQ(read->chip, "SM8650 (HTP v75)");
  ASSERT_THAT(read->rows, SizeIs(3));
  EXPECT_EQ(read->rows[1].outcome.difference, 1);
  EXPECT_EQ(read->rows[2].outcome.detail, "signal \"11\"");
  EXPECT_THAT(changes(table_, *read), SizeIs(0));
}

TEST_F(BehaviourTables, a_verdict_that_is_another_is_a_change_and_a_probe_of_one_table_alone_is_none) {
  BehaviourTable now = table_;
  now.rows[1].outcome.verdict = Verdict::kRight;
  now.rows.push_back({"Mod", "int32", "rank 4", {.verdict = Verdict::kRefused}});
  const auto found = changes(table_, now);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].id, "Cast, uint8, to float32");
  EXPECT_EQ(found[0].before, "wrong");
  EXPECT_EQ(found[0].now, "right");
}

TEST_F(BehaviourTables, what_is_no_table_is_refused_with_the_row) {
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"", "expected"},
           {"[1]", "expected"},
           {R"({"schema": "npu-behaviour/1"})", "expected"},
           {R"({"schema": "npu-behaviour/1", "probes": [["Add", "float32", "rank 4", "splendid"]]})", "splendid"},
           {R"({"schema": "npu-behaviour/1", "probes": [["Add", 1]]})", "Add"}}) {
    std::ofstream(path()) << text;
    const auto read = read_table(path());
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message, HasSubstr(message));
  }
}

TEST_F(BehaviourTables, the_page_says_where_it_comes_from_and_lists_what_is_wrong) {
  EXPECT_THAT(page(table_), HasSubstr("QAIRT 2.50.40, SM8650 (HTP v75), on Qualcomm's HTP emulator, not on a device"));
  EXPECT_THAT(page(table_), HasSubstr("| Cast | uint8 | to float32 | wrong | by 1 of the peak |"));
}

}  // namespace
}  // namespace slipway::compile::npu_probes
