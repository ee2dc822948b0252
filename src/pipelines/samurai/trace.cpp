#include "pipelines/samurai/trace.hpp"

#include <cmath>

#include <nlohmann/json.hpp>

namespace slipway::pipelines::samurai {

using base::Code;
using base::fail;
using base::Result;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr std::size_t kMostCandidates = 16;
// Far beyond any image, and small enough that no product of the filter overflows.
constexpr double kLargest = 1e9;

/// Where in the trace something is wrong.
std::string place(std::string_view name, std::size_t index, std::string_view key) {
  return fmt::format("{}: frames[{}].{}", name, index, key);
}

Result<double> number_of(const json& value, const std::string& where) {
  if (!value.is_number())
    return fail(Code::kInvalidArgument, "{}: expected a number, found {}", where, value.type_name());
  const auto number = value.get<double>();
  if (!std::isfinite(number) || std::abs(number) > kLargest) {
    return fail(Code::kInvalidArgument, "{}: expected a number between -1e9 and 1e9, found {}", where, number);
  }
  return number;
}

Result<const json*> array_at(const json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end()) return fail(Code::kInvalidArgument, "{}: missing; expected a list", where);
  if (!found->is_array())
    return fail(Code::kInvalidArgument, "{}: expected a list, found {}", where, found->type_name());
  return &*found;
}

Result<Box> box_of(const json& value, const std::string& where) {
  if (!value.is_array() || value.size() != 4) {
    return fail(Code::kInvalidArgument, "{}: expected [x0, y0, x1, y1], found {}", where,
                value.is_array() ? fmt::format("{} values", value.size()) : value.type_name());
  }
  std::array<double, 4> sides{};
  for (std::size_t i = 0; i < sides.size(); ++i) {
    SLIPWAY_ASSIGN(sides[i], number_of(value[i], fmt::format("{}[{}]", where, i)));
  }
  if (sides[2] < sides[0] || sides[3] < sides[1]) {
    return fail(Code::kInvalidArgument, "{}: expected x0 <= x1 and y0 <= y1, found [{}, {}, {}, {}]", where, sides[0],
                sides[1], sides[2], sides[3]);
  }
  return Box{sides[0], sides[1], sides[2], sides[3]};
}

Result<TraceFrame> frame_of(const json& value, std::string_view name, std::size_t index) {
  if (!value.is_object()) {
    return fail(Code::kInvalidArgument, "{}: frames[{}]: expected an object, found {}", name, index, value.type_name());
  }
  TraceFrame frame;
  const auto number = value.find("frame");
  if (number == value.end() || !number->is_number_integer()) {
    return fail(Code::kInvalidArgument, "{}: expected the frame's number", place(name, index, "frame"));
  }
  frame.frame = number->get<std::int64_t>();
  SLIPWAY_ASSIGN(const json* boxes, array_at(value, "boxes", place(name, index, "boxes")));
  SLIPWAY_ASSIGN(const json* ious, array_at(value, "ious", place(name, index, "ious")));
  if (boxes->empty() || boxes->size() > kMostCandidates || boxes->size() != ious->size()) {
    return fail(Code::kInvalidArgument, "{}: expected as many boxes as ious, three of each; found {} and {}",
                place(name, index, "boxes"), boxes->size(), ious->size());
  }
  for (std::size_t i = 0; i < boxes->size(); ++i) {
    Candidate candidate;
    SLIPWAY_ASSIGN(candidate.box, box_of((*boxes)[i], place(name, index, fmt::format("boxes[{}]", i))));
    SLIPWAY_ASSIGN(candidate.predicted_iou, number_of((*ious)[i], place(name, index, fmt::format("ious[{}]", i))));
    frame.candidates.push_back(candidate);
  }
  const auto score = value.find("object_score");
  if (score == value.end()) {
    return fail(Code::kInvalidArgument, "{}: missing; expected a number", place(name, index, "object_score"));
  }
  SLIPWAY_ASSIGN(frame.object_score, number_of(*score, place(name, index, "object_score")));
  return frame;
}

ordered_json json_of(const std::optional<std::array<double, 8>>& values) {
  return values ? ordered_json(*values) : ordered_json();
}

}  // namespace

Result<std::vector<TraceFrame>> read_trace(std::string_view text, std::string_view name) {
  json document;
  try {
    document = json::parse(text);
  } catch (const json::parse_error& error) {
    return fail(Code::kInvalidArgument, "{}: not JSON from byte {} on; a trace is what `samurai --trace` writes", name,
                error.byte);
  } catch (const json::exception&) {
    return fail(Code::kInvalidArgument, "{}: not JSON; a trace is what `samurai --trace` writes", name);
  }
  if (!document.is_object() || !document.contains("frames") || !document["frames"].is_array()) {
    return fail(Code::kInvalidArgument, "{}: not a trace: expected {{\"frames\": [ … ]}}", name);
  }
  std::vector<TraceFrame> frames;
  for (const json& each : document["frames"]) {
    SLIPWAY_ASSIGN(TraceFrame frame, frame_of(each, name, frames.size()));
    const bool is_next = frames.empty() ? frame.frame == 0 || frame.frame == 1 : frame.frame == frames.back().frame + 1;
    if (!is_next) {
      return fail(Code::kInvalidArgument,
                  "{}: expected {}, found {}: the rules need every frame, counted from the prompt's, 0",
                  place(name, frames.size(), "frame"),
                  frames.empty() ? "0 or 1" : fmt::format("{}", frames.back().frame + 1), frame.frame);
    }
    frames.push_back(std::move(frame));
  }
  return frames;
}

std::vector<Decision> replay(const std::vector<TraceFrame>& frames, double motion_weight) {
  TrackRules rules(motion_weight);
  std::vector<Decision> decisions;
  if (!frames.empty() && frames.front().frame == 1) {
    const Candidate prompt;
    static_cast<void>(rules.decide({&prompt, 1}, 0));
  }
  for (const TraceFrame& frame : frames) decisions.push_back(rules.decide(frame.candidates, frame.object_score));
  return decisions;
}

ordered_json json_of(const TraceFrame& frame) {
  ordered_json boxes = ordered_json::array(), ious = ordered_json::array();
  for (const Candidate& candidate : frame.candidates) {
    const Box& box = candidate.box;
    boxes.push_back({box.x1, box.y1, box.x2, box.y2});
    ious.push_back(candidate.predicted_iou);
  }
  return {{"frame", frame.frame}, {"boxes", boxes}, {"ious", ious}, {"object_score", frame.object_score}};
}

ordered_json json_of(const Decision& decision) {
  ordered_json memory = ordered_json::array(), pointers = ordered_json::array();
  for (const MemorySlot& each : decision.memories) memory.push_back({each.slot, each.frame});
  for (const PointerAge& each : decision.pointers) pointers.push_back({each.distance, each.frame});
  const auto& motion = decision.choice.motion_score;
  return {{"choice", decision.choice.index},
          {"kf_score", motion ? ordered_json(*motion) : ordered_json()},
          {"stable", decision.stable_frames},
          {"mean", json_of(decision.mean)},
          {"cov_diag", json_of(decision.cov_diagonal)},
          {"memory", memory},
          {"pointers", pointers}};
}

}  // namespace slipway::pipelines::samurai
