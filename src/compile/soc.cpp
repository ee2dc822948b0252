#include "compile/soc.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace slipway::compile {
namespace {

struct Row {
  int soc_model;
  std::string_view name;
};

/// Qualcomm's ids as its compiler takes them.
constexpr std::array kRows = {
    Row{30, "SM8350"},   Row{32, "SM7350"},   Row{34, "SM8325"},   Row{35, "SM7325"},   Row{36, "SM8450"},
    Row{37, "SC8280X"},  Row{38, "SM7315"},   Row{39, "SA8295"},   Row{42, "SM8475"},   Row{43, "SM8550"},
    Row{45, "SXR1230P"}, Row{46, "SSG2115P"}, Row{50, "SM6450"},   Row{52, "SA8255"},   Row{53, "SXR2230P"},
    Row{57, "SM8650"},   Row{58, "SSG2125P"}, Row{60, "SC8380XP"}, Row{61, "SM7435"},   Row{62, "SA8540"},
    Row{63, "AIC100"},   Row{64, "SM7550"},   Row{66, "QCS8550"},  Row{67, "SA8620P"},  Row{68, "SM8635"},
    Row{69, "SM8750"},   Row{70, "SM7675"},   Row{72, "SA8797"},   Row{73, "SM7635"},   Row{74, "SM6650"},
    Row{75, "SXR2330P"}, Row{76, "SM6475"},   Row{77, "QCS9100"},  Row{78, "QCM6690"},  Row{82, "QCS8300"},
    Row{85, "SM8735"},   Row{86, "SM7750"},   Row{87, "SM8850"},   Row{88, "SC8480XP"}, Row{90, "QCS8625"},
    Row{91, "SM7775"},   Row{92, "SM8850L"},  Row{93, "QCS6490"},  Row{94, "SC8440XP"}, Row{95, "SAR2230P"},
    Row{96, "SW6100"},   Row{97, "SM8845"},   Row{103, "SM8975"},  Row{104, "CQ8725S"},
};

constexpr std::array kWithCostModel = {52, 62, 63, 72, 77, 95};

}  // namespace

std::string chip_name(const runtime::HtpTarget& target) {
  for (const Row& row : kRows) {
    if (row.soc_model == target.soc_model) return fmt::format("{} (HTP v{})", row.name, target.htp_arch);
  }
  return fmt::format("SoC {} (HTP v{})", target.soc_model, target.htp_arch);
}

bool has_cost_model(const runtime::HtpTarget& target) {
  return std::ranges::find(kWithCostModel, target.soc_model) != kWithCostModel.end();
}

}  // namespace slipway::compile
