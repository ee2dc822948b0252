#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/examples.hpp"
#include "apps/cli/frame_report.hpp"
#include "apps/cli/old_spellings.hpp"
#include "apps/cli/option_effects.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "base/files.hpp"
#include "base/testing/shell.hpp"
#include "tensor/npz.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::testing::run_in_shell;
using base::testing::ShellResult;
using nlohmann::json;
using ::testing::HasSubstr;

/// Runs the built executable as a user would.
class Slipway : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(std::string_view name) const { return (folder_.path() / name).string(); }

  [[nodiscard]] static ShellResult run(const std::string& arguments, const std::string& environment = "") {
    return run_in_shell(fmt::format("{} {} {}", environment, SLIPWAY_EXECUTABLE, arguments));
  }

  std::vector<std::string> options_in_help(const std::string& verb) const;

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-cli").value();
};

const std::string kModels = "tests/golden/models/";
const std::string kCompiled = "tests/golden/compile/";

/// The long options that the help of a verb lists: "  -o,--output TEXT REQUIRED …".
std::vector<std::string> Slipway::options_in_help(const std::string& verb) const {
  std::vector<std::string> options;
  std::istringstream lines(run(verb + " --help").out);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  -")) continue;
    std::istringstream names(line.substr(2, line.find(' ', 2) - 2));
    for (std::string name; std::getline(names, name, ',');) {
      if (name.starts_with("--")) options.push_back(name);
    }
  }
  return options;
}

TEST_F(Slipway, knows_of_every_option_of_every_verb_where_it_has_effect) {
  std::istringstream lines(run("completion bash").out);
  int verbs = 0;
  for (std::string line; std::getline(lines, line);) {
    // "    compile) verbs='' options='--help --target …' ;;"
    const auto name = line.find(") verbs='");
    const auto options = line.find("' options='");
    if (name == std::string::npos || options == std::string::npos) continue;
    const std::string verb = line.substr(4, name - 4);
    std::istringstream words(line.substr(options + 11, line.rfind('\'') - options - 11));
    for (std::string option; words >> option;) EXPECT_TRUE(has_effect_rule(verb, option)) << verb << " " << option;
    ++verbs;
    std::istringstream nested(line.substr(name + 9, options - name - 9));
    for (std::string inner; nested >> inner; ++verbs) {
      for (const std::string& option : options_in_help(verb + " " + inner)) {
        EXPECT_TRUE(has_effect_rule(inner, option)) << verb << " " << inner << " " << option;
      }
    }
  }
  EXPECT_GE(verbs, 20);
}

TEST_F(Slipway, names_options_that_have_no_effect) {
  const auto outcome = run(fmt::format(
      "compile {}add.onnx --catalogue none.csv --fallback --qnn-option vtcm_mb=4 -o {}", kModels, path("add.onnx")));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, ::testing::AllOf(HasSubstr("note: --catalogue has no effect without --device"),
                                            HasSubstr("note: --fallback has no effect unless --target is precompiled"),
                                            HasSubstr("note: --qnn-option has no effect with --target onnx")));
  EXPECT_THAT(run(fmt::format("infer {}add.onnx --random 1 --fallback -o {}", kModels, path("o.npz"))).err,
              HasSubstr("note: --fallback has no effect with --provider cpu"));
}

TEST_F(Slipway, refuses_to_compile_what_onnxruntime_refuses) {
  for (const std::string name : {"cycle", "undefined_value", "unknown_domain"}) {
    for (const char* options : {"", "--no-compare"}) {
      const auto outcome =
          run(fmt::format("compile {}{}.onnx {} -o {}", kCompiled, name, options, path(name + ".onnx")));
      EXPECT_EQ(outcome.status, 1) << name << outcome.err;
      EXPECT_FALSE(fs::exists(path(name + ".onnx"))) << name;
    }
  }
}

TEST_F(Slipway, computes_in_bf16_through_openvino_only) {
  const ShellResult refused =
      run("infer " + kModels + "matmul.onnx --random 1 --output " + path("o.npz") + " --precision bf16");
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("--provider openvino"));
  const ShellResult missing =
      run("infer " + kModels + "matmul.onnx --random 1 --output " + path("o.npz") + " -p openvino",
          "SLIPWAY_OPENVINO=/nowhere");
  EXPECT_EQ(missing.status, 3);
  EXPECT_THAT(missing.err, HasSubstr("SLIPWAY_OPENVINO names '/nowhere'"));
}

TEST_F(Slipway, infer_writes_the_bits_of_onnx_runtimes_python_package) {
  const auto golden = tensor::read_npz(kModels + "conv.npz").value();
  tensor::NamedTensors inputs;
  inputs.push_back(
      {"image",
       tensor::Tensor::copy_of(golden[0].tensor.dtype(), golden[0].tensor.shape(), golden[0].tensor.bytes()).value()});
  ASSERT_TRUE(tensor::write_npz(path("in.npz"), inputs));
  const ShellResult outcome = run(fmt::format("infer {}conv.onnx --inputs {} --output {} --threads 1 --json", kModels,
                                              path("in.npz"), path("out.npz")));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const json line = json::parse(outcome.out);
  EXPECT_EQ(line["schema"], "infer/1");
  EXPECT_EQ(line["is_emulated"], false);
  EXPECT_EQ(line["placement"]["nodes_per_provider"]["CPUExecutionProvider"], 2);
  const auto outputs = tensor::read_npz(path("out.npz"));
  ASSERT_TRUE(outputs) << outputs.error().message;
  EXPECT_EQ(outputs->at(0).name, "features");
  EXPECT_TRUE(std::ranges::equal(outputs->at(0).tensor.bytes(), golden[1].tensor.bytes()));
}

TEST_F(Slipway, json_is_all_there_is_on_standard_output) {
  for (const std::string verb : {"inspect {}", "profile {} --iterations 20", "bench {} --iterations 20", "doctor"}) {
    const ShellResult outcome =
        run(fmt::format(fmt::runtime(verb), kModels + "conv.onnx") + " --json --json-file " + path("copy.json"));
    ASSERT_EQ(outcome.status, 0) << verb << outcome.err;
    ASSERT_FALSE(outcome.out.empty());
    EXPECT_EQ(outcome.out.find('\n'), outcome.out.size() - 1) << "one object a line";
    const json line = json::parse(outcome.out, nullptr, false);
    ASSERT_TRUE(line.is_object()) << outcome.out;
    EXPECT_TRUE(outcome.out.starts_with("{\"schema\":"));
    EXPECT_EQ(line["schema"], verb.substr(0, verb.find(' ')) + "/1");
    EXPECT_EQ(base::read_file(path("copy.json"), 1U << 24U).value(), outcome.out);
  }
}

TEST_F(Slipway, inspect_counts_operators_and_parameters) {
  const json line = json::parse(run("inspect " + kModels + "unsupported_on_npu.onnx --json").out);
  EXPECT_EQ(line["parameters"], 4 * 3 * 3 * 3 + 4);
  EXPECT_EQ(line["operators"]["Erf"], 1);
  EXPECT_EQ(line["opsets"]["ai.onnx"], 17);
  EXPECT_EQ(line["inputs"][0]["shape"], json({1, 3, 8, 8}));
}

TEST_F(Slipway, exit_status_tells_wrong_use_from_failure_from_what_is_missing) {
  EXPECT_EQ(run("").status, 2);
  EXPECT_EQ(run("--help").status, 0);
  EXPECT_EQ(run("infer").status, 2);
  EXPECT_EQ(run(fmt::format("infer {}add.onnx --output {}", kModels, path("o.npz"))).status, 2);
  EXPECT_EQ(run(fmt::format("infer {}add.onnx --random 1 --output {} --soc 57", kModels, path("o.npz"))).status, 2);
  EXPECT_EQ(run("inspect " + path("none.onnx")).status, 1);
  EXPECT_EQ(
      run(fmt::format("infer {}add.onnx --random 1 --output {} --provider directml", kModels, path("o.npz"))).status,
      3);
  EXPECT_EQ(run("doctor", "SLIPWAY_ONNXRUNTIME=/nowhere").status, 3);
}

TEST_F(Slipway, errors_are_json_too_when_json_is_wanted) {
  const ShellResult outcome = run("inspect " + path("none.onnx") + " --json");
  const json line = json::parse(outcome.out);
  EXPECT_EQ(line["schema"], "error/1");
  EXPECT_EQ(line["code"], "not_found");
  EXPECT_THAT(outcome.err, HasSubstr("none.onnx"));
}

/// A command line as its words; quotes hold several together.
std::vector<std::string> words_of(std::string_view command) {
  std::vector<std::string> words(1);
  bool is_quoted = false;
  for (const char letter : command) {
    if (letter == '"') {
      is_quoted = !is_quoted;
    } else if (letter == ' ' && !is_quoted) {
      words.emplace_back();
    } else {
      words.back() += letter;
    }
  }
  return words;
}

/// Thrown once all words are understood, before the verb works.
struct Parsed {};

TEST(Examples, are_there_for_every_verb_and_can_be_typed) {
  std::set<std::string> with_examples;
  for (const VerbExamples& of_verb : examples()) {
    with_examples.emplace(of_verb.verb);
    for (const Example& example : of_verb.examples) {
      Context context;
      CLI::App app;
      add_verbs(app, context);
      app.parse_complete_callback([&] {
        for (const CLI::App* verb : app.get_subcommands()) EXPECT_TRUE(options_without_effect(*verb).empty());
        throw Parsed();
      });
      std::string command(example.command);
      command = command.substr(command.find("slipway ") + 8);
      command.resize(std::min({command.size(), command.find(')'), command.find(" |")}));
      Respelled typed = in_todays_words(words_of(command));
      EXPECT_TRUE(typed.notes.empty()) << example.command;
      std::ranges::reverse(typed.words);
      EXPECT_THROW(app.parse(std::move(typed.words)), Parsed) << example.command;
      EXPECT_TRUE(command.starts_with(of_verb.verb)) << example.command;
    }
  }
  Context context;
  CLI::App app;
  add_verbs(app, context);
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (verb->get_name() == "token") continue;  // its help is the other program's
    EXPECT_TRUE(with_examples.contains(verb->get_name())) << verb->get_name();
    for (const CLI::App* part : verb->get_subcommands([](const CLI::App*) { return true; })) {
      EXPECT_TRUE(with_examples.contains(verb->get_name() + " " + part->get_name())) << part->get_name();
    }
  }
}

TEST_F(Slipway, says_what_was_probably_meant) {
  EXPECT_THAT(run("profil x.onnx").err, HasSubstr("did you mean 'profile'?"));
  EXPECT_THAT(run("bench x.onnx --iteratons 3").err, HasSubstr("--iterations"));
}

/// What each verb would write over, with a command line that asks for it.
TEST_F(Slipway, refuses_outputs_that_the_run_reads_and_leaves_them_as_they_were) {
  fs::create_directories(path("pictures"));
  fs::copy_file(kModels + "conv.onnx", path("m.onnx"));
  fs::copy_file(kModels + "conv.onnx", path("model.png"));
  fs::copy_file(kModels + "conv.npz", path("in.npz"));
  fs::copy_file("tests/golden/media/rgb.bmp", path("pictures/x.bmp"));
  fs::copy_file("tests/golden/media/rgb.png", path("pictures/x.png"));
  fs::create_symlink(path("in.npz"), path("link.npz"));
  fs::create_hard_link(path("m.onnx"), path("same.json"));
  const auto everything = [&] {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(path(""))) {
      if (entry.path().filename() == "stderr" || !entry.is_regular_file()) continue;
      found[entry.path().string()] = base::read_file(entry.path(), 1U << 24U).value();
    }
    return found;
  };
  const auto before = everything();
  const std::vector<std::string> lines = {
      "infer {0}m.onnx --inputs {0}in.npz --output {0}in.npz",
      "infer {0}m.onnx --inputs {0}in.npz --output {0}link.npz",
      "infer {0}m.onnx --inputs {0}link.npz --output {0}./pictures/../in.npz",
      "infer {0}m.onnx --random 1 --output {0}m.onnx",
      "infer {0}m.onnx --random 1 --output {0}out.npz --json-file {0}out.npz",
      "inspect {0}m.onnx --json-file {0}same.json",
      "profile {0}m.onnx --trace {0}m.onnx",
      "bench {0}m.onnx --json-file {0}m.onnx",
      "compile {0}m.onnx -o {0}m.onnx",
      "compile {0}m.onnx -o {0}pictures/..",
      "face-det-lite {0}m.onnx {0}pictures -o {0}pictures",
      "face-det-lite {0}m.onnx {0}pictures/x.bmp {0}pictures/x.png -o {0}pictures",
      "face-det-lite {0}m.onnx {0}pictures/x.png -o {0}pictures/x.png",
      "face-det-lite {0}m.onnx {0}pictures/x.png --json-file {0}pictures/x.png",
      "mediapipe-face {0}m.onnx {0}pictures -o {0}pictures",
      "drone {0}pictures/x.png --detector {0}model.png -o {0}model.png",
      "samurai {0}pictures --box 1,1,5,5 --model {0}pictures --masks {0}pictures",
      "samurai {0}pictures --box 1,1,5,5 --model {0}pictures --trace {0}pictures/x.png",
      "samurai {0}pictures --mask {0}pictures/x.png --model {0}pictures --output-video {0}a.mp4 --trace {0}a.mp4",
      "demucs preprocess {0}in.npz --output {0} --json-file {0}in.npz",
  };
  for (const std::string& line : lines) {
    const ShellResult outcome = run(fmt::format(fmt::runtime(line), path("")));
    EXPECT_EQ(outcome.status, 2) << line << "\n" << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("would be written over")) << line;
    EXPECT_EQ(everything(), before) << line;
  }
}

TEST_F(Slipway, writes_into_streams_and_behind_links_and_replaces_neither) {
  fs::create_symlink(path("real.json"), path("link.json"));
  ASSERT_EQ(run("inspect " + kModels + "conv.onnx --json-file " + path("link.json")).status, 0);
  EXPECT_TRUE(fs::is_symlink(path("link.json")));
  EXPECT_THAT(base::read_file(path("real.json"), 1U << 20U).value(), HasSubstr("inspect/1"));
  const ShellResult streamed = run("inspect " + kModels + "conv.onnx --json-file /dev/stdout");
  EXPECT_EQ(streamed.status, 0) << streamed.err;
  EXPECT_THAT(streamed.out, HasSubstr("{\"schema\":\"inspect/1\""));
}

TEST_F(Slipway, takes_a_model_folder) {
  fs::copy_file(kModels + "add.onnx", path("one.onnx"));
  EXPECT_EQ(run("inspect " + folder_.path().string()).status, 0) << "one .onnx needs no description";
  fs::copy_file(kModels + "conv.onnx", path("two.onnx"));
  EXPECT_THAT(run("inspect " + folder_.path().string()).err, HasSubstr("--graph one or --graph two"));
  std::ofstream(path("model.yaml")) << "schema: 1\ngraphs:\n  first: {file: one.onnx}\n  outside: {file: ../x.onnx}\n";
  EXPECT_THAT(run("inspect " + folder_.path().string() + " --graph first").err, HasSubstr("outside the model folder"));
  std::ofstream(path("model.yaml")) << "schema: 1\ngraphs:\n  first: {file: one.onnx}\n  second: {file: two.onnx}\n";
  const json line = json::parse(run("inspect " + folder_.path().string() + " --graph second --json").out);
  EXPECT_EQ(line["graph"], "conv");
}

TEST_F(Slipway, leaves_nothing_in_the_users_home) {
  fs::create_directory(path("home"));
  const auto outcome = run(fmt::format("infer {}add.onnx --random 1 -o {}", kModels, path("o.npz")),
                           fmt::format("HOME={} XDG_CACHE_HOME=", path("home")));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(fs::is_empty(path("home"))) << fs::directory_iterator(path("home"))->path();
}

TEST_F(Slipway, loads_no_library_from_the_folder_it_runs_in) {
  std::ofstream(path("libz.so.1")) << "no library";
  const fs::path programs = fs::path(SLIPWAY_EXECUTABLE).parent_path();
  for (const char* name : {"slipway", "slipway-worker"}) {
    const std::string command =
        fmt::format("cd {} && {} --version", folder_.path().string(), (programs / name).string());
    EXPECT_EQ(run_in_shell(command).status, 0) << command;
  }
}

TEST_F(Slipway, completes_verbs_and_options_in_bash) {
  std::ofstream(path("try.sh"))
      << "source <(" SLIPWAY_EXECUTABLE
         " completion bash)\n"
         "COMP_WORDS=(slipway be); COMP_CWORD=1; _slipway; echo \"${COMPREPLY[*]}\"\n"
         "COMP_WORDS=(slipway bench --it); COMP_CWORD=2; _slipway; echo \"${COMPREPLY[*]}\"\n";
  EXPECT_EQ(run_in_shell("bash " + path("try.sh")).out, "bench\n--iterations\n");
}

TEST(Table, aligns_by_code_points) {
  Table table({{"näme"}, {"n", Align::kRight}});
  table.add({"ö", "1"});
  table.add({"longer", "12"});
  EXPECT_EQ(table.text(), "näme     n\n------  --\nö        1\nlonger  12\n");
}

template <typename Time>
concept HasText = requires(Time time) { time_text(time); };
template <typename Statistics>
concept HasTable = requires(Statistics statistics) { statistics_table(statistics); };

// Whoever prints a time says where it was taken, and of an emulator's nothing is there to print.
TEST(Units, of_what_an_emulator_took_are_not_there) {
  static_assert(HasText<runtime::MeasuredTime> && !HasText<double>);
  static_assert(HasTable<runtime::MeasuredStatistics> && !HasTable<runtime::Statistics>);
  const auto emulator = runtime::TimeOrigin::of("qnn", true), cpu = runtime::TimeOrigin::of("cpu", false);
  const runtime::Statistics statistics = runtime::statistics_of({77770, 77771, 77772});
  EXPECT_EQ(runtime::MeasuredTime(77770, emulator).value(), std::nullopt);
  EXPECT_EQ(runtime::MeasuredTime(77770, cpu.with(emulator)).value(), std::nullopt);
  EXPECT_EQ(time_text({77770, emulator}), "-");
  EXPECT_EQ(json_of(runtime::MeasuredStatistics{statistics, emulator}), nullptr);
  EXPECT_EQ(statistics_table({statistics, emulator}).find("77"), std::string::npos);
  pipelines::BenchReport bench;
  bench.inference = bench.total = statistics;
  EXPECT_EQ(table_of(bench, emulator).find("77"), std::string::npos);
  EXPECT_EQ(stage_json(bench, emulator).dump().find("7777"), std::string::npos);
  EXPECT_EQ(stage_json(pipelines::StageTimes{.pre_us = 1, .inference_us = 77770, .post_us = 1}, emulator)["inference"],
            nullptr);
  EXPECT_NE(table_of(bench, cpu).find("77.8 ms"), std::string::npos);
  EXPECT_EQ(emulator.unit, runtime::ComputeUnit::kNpu);
}

TEST(Units, of_one_are_singular) {
  EXPECT_EQ(counted(0, "face"), "0 faces");
  EXPECT_EQ(counted(1, "face"), "1 face");
  EXPECT_EQ(counted(2, "box", "boxes"), "2 boxes");
}

TEST(Units, read_well_at_every_size) {
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(48969933), "46.7 MiB");
  const auto own = runtime::TimeOrigin::own_work();
  EXPECT_EQ(time_text({12.34, own}), "12.3 us");
  EXPECT_EQ(time_text({4560, own}), "4.56 ms");
  EXPECT_EQ(time_text({1.2e6, own}), "1.20 s");
  EXPECT_EQ(count_text(1234567), "1 234 567");
  EXPECT_EQ(count_text(-123), "-123");
}

}  // namespace
}  // namespace slipway::cli
