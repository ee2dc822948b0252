#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/verbs.hpp"
#include "base/files.hpp"
#include "pipelines/samurai/trace.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
namespace samurai = pipelines::samurai;
using nlohmann::ordered_json;

constexpr std::uint64_t kTraceLimitBytes = std::uint64_t{64} << 20;

base::Result<void> replay(const fs::path& file, double motion_weight, Context& context) {
  SLIPWAY_ASSIGN(const std::string text, base::read_file(file, kTraceLimitBytes));
  SLIPWAY_ASSIGN(const auto frames, samurai::read_trace(text, file.string()));
  const std::vector<samurai::Decision> decisions = samurai::replay(frames, motion_weight);
  ordered_json rows = ordered_json::array();
  std::string lines;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    ordered_json row = {{"frame", frames[i].frame}};
    row.update(samurai::json_of(decisions[i]));
    lines += fmt::format("{}\n  {}", i > 0 ? "," : "", row.dump());
    rows.push_back(std::move(row));
  }
  context.print(fmt::format("{{\"frames\": [{}\n]}}\n", lines));
  return context.emit("samurai-replay/1", {{"frames", rows}});
}

void add_replay(CLI::App& verb, Context& context) {
  struct Arguments {
    fs::path trace;
    double motion_weight = samurai::kMotionWeight;
  };
  CLI::App* part = verb.add_subcommand(
      "replay", "Run the rules alone over a trace: what is chosen and remembered, as JSON. No model is needed");
  auto arguments = std::make_shared<Arguments>();
  part->add_option("trace", arguments->trace,
                   "{\"frames\": [{\"frame\", \"boxes\": [[x0, y0, x1, y1] x 3], \"ious\": [3], \"object_score\"}]}")
      ->required();
  part->add_option("--motion-weight", arguments->motion_weight,
                   "Weight of motion against predicted IoU; the large model's configuration has 0.15")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  context.add_output_options(*part);
  part->callback(
      [arguments, &context] { context.finish(replay(arguments->trace, arguments->motion_weight, context)); });
}

}  // namespace

void add_samurai(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("samurai", "Follow an object through a video with SAM 2.1 and SAMURAI's rules");
  add_replay(*verb, context);
  verb->require_subcommand(1);
}

}  // namespace slipway::cli
