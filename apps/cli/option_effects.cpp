#include "apps/cli/option_effects.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/provider.hpp"

namespace slipway::cli {
namespace {

/// What must be so for an option to have effect.
enum class When {
  kGiven,     ///< the other option is given
  kNotGiven,  ///< it is not
  kIs,        ///< it has this value
  kIsNot,     ///< it has another one
};

struct Rule {
  std::string_view verb;  ///< empty: every verb that has the option
  std::string_view option;
  When when;
  std::string_view other;
  std::string_view value = "";
};

// An option with several rules has effect where one of them holds.
const auto& rules() {
  static const std::string cpu = runtime::ProviderRequest().name;
  static const std::string_view npu = runtime::htp_provider().name;
  static const std::array all = {
      Rule{"compile", "--device", When::kIsNot, "--target", "onnx"},
      Rule{"compile", "--catalogue", When::kGiven, "--device"},
      Rule{"compile", "--qnn-option", When::kIsNot, "--target", "onnx"},
      Rule{"compile", "--fallback", When::kIs, "--target", "precompiled_qnn_onnx"},
      Rule{"", "--fallback", When::kIsNot, "--provider", cpu},
      Rule{"drone", "--no-standby", When::kIsNot, "--provider", cpu},
      Rule{"drone", "--normalize", When::kGiven, "--segmenter"},
      Rule{"", "--threads", When::kIsNot, "--provider", npu},
      Rule{"", "--threads", When::kGiven, "--fallback"},
      Rule{"demucs", "--seed", When::kGiven, "--shifts"},
      Rule{"demucs", "--batch", When::kIs, "--mode", "batch"},
      Rule{"demucs", "--overlap", When::kIsNot, "--mode", "single"},
      Rule{"demucs", "--parallel", When::kIsNot, "--mode", "single"},
      Rule{"samurai", "--no-audio", When::kGiven, "--output-video"},
      Rule{"", "--no-audio", When::kGiven, "--output"},
      Rule{"samurai", "--detector", When::kGiven, "--detect"},
      Rule{"samurai", "--detect-min", When::kGiven, "--detect"},
      Rule{"samurai", "--float32", When::kIs, "--precision", "bf16"},
      Rule{"", "--landmark-model", When::kNotGiven, "--detector-only"},
      Rule{"", "--presence-min", When::kNotGiven, "--detector-only"},
      Rule{"doctor", "--npu-only", When::kNotGiven, "--npu-from"},
      Rule{"doctor", "--npu-integers-only", When::kNotGiven, "--npu-from"},
      Rule{"doctor", "--npu-probe-limit", When::kNotGiven, "--npu-from"},
      Rule{"doctor", "--npu-time-limit", When::kNotGiven, "--npu-from"},
      Rule{"", "--smooth", When::kNotGiven, "--still"},
      Rule{"", "--no-smooth", When::kNotGiven, "--still"},
  };
  return all;
}

// These change what is done whatever stands beside them, or are refused where they would not.
constexpr std::string_view kAlways =
    " --help --version --json --json-file --quiet --overwrite --model --graph --output --inputs --random --provider "
    "--soc --htp-arch --precision --threads --provider-option --iterations --warmup --max-seconds "
    "--all-iterations --trace --target --input-spec --output-names --channel-last-input --channel-last-output "
    "--truncate-64bit-io --truncate-64bit-tensors --no-compare --compare-limit --time-limit --two-stems "
    "--format --bits --plot --segment-samples --overlap --no-overlap --raw-file --spectrogram-file "
    "--shifts --mode --detector --segmenter --budget-ms --batch --score-min --iou-max --classes --padding "
    "--fov --sectors --bench --max-pixels --recursive --stats --channel --fit --nms --max-hands "
    "--max-faces --detector-only --still --rules --box --bbox --point --mask --detect --masks "
    "--frames --motion-weight --reference --components --logits-max --data --listen --public-url --iou-min "
    "--opset --operators --devices --log-level --npu-probes --npu-soc --npu-htp-arch --npu-table --npu-from "
    "--npu-write --npu-page --calibration --weights --activations --range-scheme --samples --exclude "
    "--exclude-operators --quantize-io --no-fold-batch-norm --equalize --no-bias-correction --sqnr-alarm ";

/// The rules of a verb's option: its own, or those of all verbs.
std::vector<Rule> rules_of(std::string_view verb, std::string_view option) {
  std::vector<Rule> own, common;
  for (const Rule& rule : rules()) {
    if (rule.option != option) continue;
    if (rule.verb == verb) own.push_back(rule);
    if (rule.verb.empty()) common.push_back(rule);
  }
  return own.empty() ? common : own;
}

std::string value_of(const CLI::Option& option) {
  return option.count() > 0 ? option.as<std::string>() : option.get_default_str();
}

bool holds(const Rule& rule, const CLI::App& verb) {
  const CLI::Option* const other = verb.get_option_no_throw(std::string(rule.other));
  if (other == nullptr) return true;  // the verb has no such choice
  switch (rule.when) {
    case When::kGiven:
      return other->count() > 0;
    case When::kNotGiven:
      return other->count() == 0;
    case When::kIs:
      return value_of(*other) == rule.value;
    case When::kIsNot:
      return value_of(*other) != rule.value;
  }
  return true;
}

std::string broken_in_words(const Rule& rule) {
  switch (rule.when) {
    case When::kGiven:
      return fmt::format("without {}", rule.other);
    case When::kNotGiven:
      return fmt::format("with {}", rule.other);
    case When::kIs:
      return fmt::format("unless {} is {}", rule.other, rule.value);
    case When::kIsNot:
      break;
  }
  return fmt::format("with {} {}", rule.other, rule.value);
}

}  // namespace

std::vector<std::string> options_without_effect(const CLI::App& verb) {
  std::vector<std::string> without;
  for (const CLI::Option* option : verb.get_options()) {
    if (option->count() == 0) continue;
    for (const std::string& name : option->get_lnames()) {
      const auto its_rules = rules_of(verb.get_name(), "--" + name);
      if (its_rules.empty() || std::ranges::any_of(its_rules, [&](const Rule& rule) { return holds(rule, verb); }))
        continue;
      without.push_back(fmt::format("--{} has no effect {}", name, broken_in_words(its_rules.front())));
    }
  }
  return without;
}

bool has_effect_rule(std::string_view verb, std::string_view option) {
  return !rules_of(verb, option).empty() || kAlways.find(fmt::format(" {} ", option)) != std::string_view::npos;
}

}  // namespace slipway::cli
