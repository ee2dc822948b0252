#include "compile/npu_faults/resize_faults.hpp"

#include <algorithm>
#include <cmath>

#include "compile/npu_faults/find_nodes.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/npu_faults/replace_by_gathers.hpp"

namespace slipway::compile::npu_faults {
namespace {

using onnx_graph::InferredTypes;
using onnx_graph::Node;
using tensor::Shape;

/// One axis of a Resize.
struct Axis {
  std::int64_t before, after;
  float scale;
};

enum class Rounding { kDown, kUp, kHalfDown, kHalfUp };

struct Setting {
  std::string coordinates;
  Rounding rounding;
};

std::optional<Rounding> rounding_of(const std::string& nearest_mode) {
  if (nearest_mode == "floor") return Rounding::kDown;
  if (nearest_mode == "ceil") return Rounding::kUp;
  if (nearest_mode == "round_prefer_floor") return Rounding::kHalfDown;
  if (nearest_mode == "round_prefer_ceil") return Rounding::kHalfUp;
  return std::nullopt;
}

/// In single precision, as ONNX Runtime computes it: halves decide.
float coordinate(const Axis& axis, std::int64_t i, const std::string& kind) {
  const auto x = static_cast<float>(i);
  if (kind == "asymmetric") return x / axis.scale;
  if (kind == "align_corners") {
    return axis.after == 1 ? 0 : x * static_cast<float>(axis.before - 1) / static_cast<float>(axis.after - 1);
  }
  if (kind == "pytorch_half_pixel" && axis.after == 1) return 0;
  return (x + 0.5F) / axis.scale - 0.5F;
}

float rounded(float x, Rounding rounding) {
  switch (rounding) {
    case Rounding::kDown:
      return std::floor(x);
    case Rounding::kUp:
      return std::ceil(x);
    case Rounding::kHalfDown:
      return std::ceil(x - 0.5F);
    case Rounding::kHalfUp:
      break;
  }
  return std::floor(x + 0.5F);
}

std::vector<std::int64_t> places(const Axis& axis, const Setting& setting) {
  std::vector<std::int64_t> found;
  for (std::int64_t i = 0; i < axis.after; ++i) {
    const auto at = static_cast<std::int64_t>(rounded(coordinate(axis, i, setting.coordinates), setting.rounding));
    found.push_back(std::clamp<std::int64_t>(at, 0, axis.before - 1));
  }
  return found;
}

std::optional<Setting> setting_of(const Node& node) {
  Setting setting{.coordinates = node.text("coordinate_transformation_mode").value_or("half_pixel"),
                  .rounding = Rounding::kHalfDown};
  const auto rounding = rounding_of(node.text("nearest_mode").value_or("round_prefer_floor"));
  const bool is_known = setting.coordinates == "half_pixel" || setting.coordinates == "asymmetric" ||
                        setting.coordinates == "align_corners" || setting.coordinates == "pytorch_half_pixel";
  // Operator set 18 brought further attributes that change sizes; before 11 there were none of these.
  const bool is_plain = !node.has_attribute("axes") && !node.has_attribute("keep_aspect_ratio_policy") &&
                        node.integer("antialias").value_or(0) == 0 && node.inputs().size() > 2;
  if (node.text("mode").value_or("nearest") != "nearest" || !rounding || !is_known || !is_plain) return std::nullopt;
  setting.rounding = *rounding;
  return setting;
}

/// What the compiler takes whatever the rounding is called.
Setting compilers_own(const Setting& setting) {
  const bool is_rounded = setting.coordinates == "half_pixel" || setting.coordinates == "align_corners";
  return is_rounded ? Setting{setting.coordinates, Rounding::kHalfUp} : Setting{"asymmetric", Rounding::kDown};
}

/// Asymmetric coordinates that are rounded up, or half down, it refuses.
bool is_refused(const Setting& setting) {
  return setting.coordinates == "asymmetric" &&
         (setting.rounding == Rounding::kUp || setting.rounding == Rounding::kHalfDown);
}

std::vector<Axis> axes_of(const Node& node, const InferredTypes& types) {
  const auto shape = node.input(0) == nullptr ? std::nullopt : types.type(*node.input(0)).shape;
  const auto sizes = node.input(3) == nullptr ? std::nullopt : types.integers(*node.input(3));
  const auto scales = node.input(2) == nullptr ? std::nullopt : node.input(2)->floats();
  std::vector<Axis> axes;
  for (std::size_t i = 0; shape && i < shape->size(); ++i) {
    const std::int64_t before = (*shape)[i];
    Axis axis{.before = before, .after = -1, .scale = 1};
    if (sizes && i < sizes->size()) {
      axis.after = (*sizes)[i];
      axis.scale = static_cast<float>(axis.after) / static_cast<float>(before);
    } else if (!sizes && scales && i < scales->size()) {
      axis.scale = (*scales)[i];
      axis.after = static_cast<std::int64_t>(static_cast<float>(before) * axis.scale);
    }
    if (before < 1 || axis.after < 1) return {};
    axes.push_back(axis);
  }
  return axes;
}

}  // namespace

int gather_nearest_places(onnx_graph::Rewriter& graph, const InferredTypes& types) {
  int count = 0;
  for (Node* node : find_nodes(graph, "Resize")) {
    const auto setting = setting_of(*node);
    if (!setting) continue;
    PlacesOfAxes wanted;
    Shape shape;
    bool is_right = !is_refused(*setting);
    for (const Axis& axis : axes_of(*node, types)) {
      wanted.push_back(places(axis, *setting));
      shape.push_back(axis.before);
      is_right = is_right && wanted.back() == places(axis, compilers_own(*setting));
    }
    if (wanted.empty() || is_right) continue;
    replace_by_gathers(graph, *node, wanted, shape);
    ++count;
  }
  return count;
}

onnx_graph::Model nearest_resize_probe() {
  ProbeGraph graph;
  auto* const data = graph.input(tensor::Dtype::kFloat32, {1, 3, 6, 8});
  auto* const resized =
      graph.node("Resize", {data, nullptr, nullptr, graph.integers({1, 3, 9, 13})},
                 {{"mode", std::string("nearest")}, {"coordinate_transformation_mode", std::string("half_pixel")}});
  return std::move(graph).with_output(resized, tensor::Dtype::kFloat32, {1, 3, 9, 13});
}

}  // namespace slipway::compile::npu_faults
