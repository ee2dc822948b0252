#include "apps/cli/samurai_validate.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/interrupt.hpp"
#include "apps/cli/progress_bar.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/samurai_prompts.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/table.hpp"
#include "base/hash.hpp"
#include "pipelines/common/frame_source.hpp"
#include "pipelines/samurai/agreement.hpp"
#include "pipelines/samurai/component_check.hpp"
#include "pipelines/samurai/tracker.hpp"
#include "tensor/npz.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
namespace samurai = pipelines::samurai;
using base::Code;
using nlohmann::ordered_json;

struct ValidateArguments {
  std::string video;
  fs::path model, reference, components;
  PromptArguments prompts;
  SessionArguments session;
  double logits_max = 1e-2;
  double iou_min = 0.99;
};

constexpr std::int64_t kDigestLength = 64;

struct Reference {
  tensor::Tensor logits;                        ///< the chosen masks', float32[frames,side,side]
  std::optional<tensor::Tensor> frame_digests;  ///< SHA-256 of the pixels of each frame, uint8[frames,64], digits
  [[nodiscard]] std::int64_t frames() const { return logits.shape()[0]; }

  /// Whether the reference saw other pixels than these; false when it does not say.
  [[nodiscard]] bool differs_from(const media::Image& image, std::int64_t frame) const {
    if (!frame_digests) return false;
    const auto digits =
        frame_digests->values<std::uint8_t>().subspan(static_cast<std::size_t>(frame * kDigestLength), kDigestLength);
    const auto bytes = static_cast<std::size_t>(image.stride_bytes() * image.height());
    return !std::ranges::equal(base::sha256_hex({reinterpret_cast<const char*>(image.row(0)), bytes}), digits);
  }
};

base::Result<Reference> read_reference(const fs::path& file, int side) {
  SLIPWAY_ASSIGN(tensor::NamedTensors arrays, tensor::read_npz(file));
  const auto named = [&](const char* name) { return std::ranges::find(arrays, name, &tensor::NamedTensor::name); };
  const auto logits = named("logits"), frame_digests = named("frames_sha256");
  if (logits == arrays.end()) {
    return base::fail(Code::kInvalidArgument,
                      "{}: no array 'logits': write it with python -m python.reference.samurai.tracker --logits F.npz",
                      file.string());
  }
  const tensor::Shape shape = logits->tensor.shape();
  if (logits->tensor.dtype() != tensor::Dtype::kFloat32 || shape.size() != 3 || shape[0] <= 0 || shape[1] != side ||
      shape[2] != side) {
    return base::fail(Code::kInvalidArgument,
                      "{}: logits: expected float32[frames,{},{}] as this model gives, found {}", file.string(), side,
                      side, tensor::to_string(logits->tensor.dtype(), shape));
  }
  Reference reference{std::move(logits->tensor), std::nullopt};
  if (frame_digests == arrays.end()) return reference;
  if (frame_digests->tensor.dtype() != tensor::Dtype::kUint8 ||
      frame_digests->tensor.shape() != tensor::Shape{shape[0], kDigestLength}) {
    return base::fail(Code::kInvalidArgument, "{}: frames_sha256: expected uint8[{},{}], found {}", file.string(),
                      shape[0], kDigestLength,
                      tensor::to_string(frame_digests->tensor.dtype(), frame_digests->tensor.shape()));
  }
  reference.frame_digests = std::move(frame_digests->tensor);
  return reference;
}

/// Each component alone on the reference's inputs; the largest error of all.
base::Result<double> validate_components(const ValidateArguments& arguments, const runtime::SessionOptions& options,
                                         std::shared_ptr<runtime::Environment> environment, Context& context) {
  SLIPWAY_ASSIGN(tensor::NamedTensors recorded, tensor::read_npz(arguments.components));
  SLIPWAY_ASSIGN(const auto errors, samurai::check_each_component(std::move(environment), arguments.model, options,
                                                                  std::move(recorded), arguments.components.string()));
  Table table({{"component"}, {"frame", Align::kRight}, {"output"}, {"relative error", Align::kRight}});
  double worst = 0;
  for (const samurai::ComponentError& each : errors) {
    worst = std::max(worst, each.relative);
    table.add({each.component, fmt::format("{}", each.frame), each.output, fmt::format("{:.2e}", each.relative)});
    SLIPWAY_TRY(context.emit(
        "samurai-validate-component/1",
        {{"component", each.component}, {"frame", each.frame}, {"output", each.output}, {"relative", each.relative}}));
  }
  context.print("each component alone, on the reference's inputs:\n" + table.text() + "\n");
  return worst;
}

base::Result<void> validate(const ValidateArguments& arguments, std::vector<samurai::Prompt> prompts,
                            const runtime::SessionOptions& options, Context& context) {
  context.reserve_standard_output();
  SLIPWAY_TRY(context.check_outputs({arguments.video, arguments.model, arguments.reference, arguments.components}, {}));
  SLIPWAY_ASSIGN(pipelines::FrameSource source, pipelines::FrameSource::open({arguments.video}, {}, interrupt_token()));
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, open_environment(options.provider.name));
  double components_worst = 0;
  if (!arguments.components.empty()) {
    SLIPWAY_ASSIGN(components_worst, validate_components(arguments, options, environment, context));
  }
  SLIPWAY_ASSIGN(const auto tracker, samurai::SamuraiTracker::load(environment, arguments.model, options));
  const int side = tracker->network().constants().mask_side();
  SLIPWAY_ASSIGN(const Reference reference, read_reference(arguments.reference, side));
  SLIPWAY_TRY(tracker->start(std::move(prompts)));

  const std::int64_t frames = reference.frames();
  const std::size_t floats = tracker->network().constants().mask_floats();
  Table table({{"frame", Align::kRight},
               {"logits, relative", Align::kRight},
               {"mask IoU", Align::kRight},
               {"box, pixels", Align::kRight},
               {"object score", Align::kRight}});
  samurai::MaskAgreement worst;
  std::int64_t compared = 0, different_frames = 0;
  bool is_emulated = false;
  {
    ProgressBar progress;
    pipelines::SourceFrame frame;
    samurai::FrameResult result;
    while (compared < frames && source.next(frame)) {
      if (frame.error) return std::unexpected(*frame.error);
      const media::Image& image = frame.frame.image;
      SLIPWAY_TRY(tracker->track(image.view(), result));
      different_frames += reference.differs_from(image, compared) ? 1 : 0;
      const auto expected =
          reference.logits.values<float>().subspan(static_cast<std::size_t>(compared) * floats, floats);
      const auto& object = result.objects.front();
      const samurai::MaskAgreement agreement =
          samurai::compare_masks(object.logits, expected, side, image.width(), image.height());
      table.add({fmt::format("{}", compared), fmt::format("{:.2e}", agreement.logits_relative),
                 fmt::format("{:.5f}", agreement.iou), fmt::format("{:.0f}", agreement.box_difference),
                 fmt::format("{:.3f}", object.trace.object_score)});
      SLIPWAY_TRY(context.emit("samurai-validate/1", {{"frame", compared},
                                                      {"logits_relative", agreement.logits_relative},
                                                      {"mask_iou", agreement.iou},
                                                      {"box_difference", agreement.box_difference},
                                                      {"object_score", object.trace.object_score}}));
      worst.logits_relative = std::max(worst.logits_relative, agreement.logits_relative);
      worst.iou = std::min(worst.iou, agreement.iou);
      worst.box_difference = std::max(worst.box_difference, agreement.box_difference);
      progress.update("comparing", ++compared, frames);
    }
  }
  if (compared < frames) {
    return base::fail(Code::kInvalidArgument, "the reference has {} frames, {} only {}", frames, arguments.video,
                      compared);
  }
  const bool agrees = worst.logits_relative <= arguments.logits_max && worst.iou >= arguments.iou_min &&
                      components_worst <= arguments.logits_max;
  std::string verdict = fmt::format(
      "over {} frames: logits within {:.2e} (allowed {:g}), mask IoU at least {:.5f} (allowed {:g}), boxes "
      "within {:.0f} pixels",
      compared, worst.logits_relative, arguments.logits_max, worst.iou, arguments.iou_min, worst.box_difference);
  if (!arguments.components.empty()) verdict += fmt::format(", components within {:.2e}", components_worst);
  if (different_frames > 0) {
    verdict += fmt::format(
        "; the reference saw other pixels on {} of them: OpenCV decodes video to other colours. For the same pixels "
        "run "
        "it with --save-frames DIR and validate DIR in place of the video",
        different_frames);
  }
  for (const auto& [name, placement] : tracker->network().placements()) is_emulated |= placement.is_emulated;
  context.print(table.text() + "\n" + verdict + "\n" + (is_emulated ? kEmulatorNote : ""));
  const ordered_json components_json = arguments.components.empty() ? ordered_json() : ordered_json(components_worst);
  SLIPWAY_TRY(context.emit("samurai-validate-summary/1", {{"frames", compared},
                                                          {"agrees", agrees},
                                                          {"logits_relative", worst.logits_relative},
                                                          {"mask_iou", worst.iou},
                                                          {"box_difference", worst.box_difference},
                                                          {"components_relative", components_json},
                                                          {"frames_seen_differently", different_frames},
                                                          {"provider", options.provider.name},
                                                          {"is_emulated", is_emulated}}));
  if (agrees) return {};
  return base::fail(Code::kFailedPrecondition, "differs from the reference: {}", verdict);
}

}  // namespace

void add_samurai_validate(CLI::App& verb, Context& context) {
  CLI::App* part = verb.add_subcommand(
      "validate", "Compare a run with the PyTorch reference: logits, masks and boxes of every frame");
  auto arguments = std::make_shared<ValidateArguments>();
  part->add_option("video", arguments->video, "The video that the reference saw, or a folder of pictures")->required();
  part->add_option("-m,--model", arguments->model, "Model folder")->required();
  part->add_option("--reference", arguments->reference,
                   "What python -m python.reference.samurai.tracker --logits F.npz wrote with the same weights")
      ->required();
  part->add_option("--components", arguments->components,
                   "What the same command wrote with --components F.npz: each component is compared alone as well");
  part->add_option("--box,--bbox", arguments->prompts.boxes, "The object on the first frame: x,y,w,h in pixels")
      ->required()
      ->expected(1);
  part->add_option("--logits-max", arguments->logits_max,
                   "Largest difference of logits and of each component's outputs, of the largest value")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  part->add_option("--iou-min", arguments->iou_min, "Smallest IoU of the masks")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  arguments->session.add_to(*part);
  context.add_output_options(*part);
  part->callback([arguments, &context] {
    auto prompts = read_prompts(arguments->prompts);
    if (!prompts) return context.finish_wrong_use(prompts.error());
    const auto options =
        arguments->session.settled_options(std::vector<std::filesystem::path>{arguments->model}, context);
    if (!options) return finish_refused(context, options.error());
    context.finish(validate(*arguments, std::move(*prompts), *options, context));
  });
}

}  // namespace slipway::cli
