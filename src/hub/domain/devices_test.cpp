#include "hub/domain/devices.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// Tests run in the project's folder.
CatalogueFile file_of(const std::string& name) {
  return {.name = name, .content = base::read_file("data/catalogue/" + name, kLargestCatalogueBytes).value_or("")};
}

std::vector<Device> catalogue() {
  auto devices = read_catalogue({file_of("devices.csv"), file_of("aliases.csv")});
  EXPECT_TRUE(devices) << devices.error().message;
  return devices.value_or(std::vector<Device>{});
}

Device find(const std::vector<Device>& devices, std::string_view name) {
  const auto found = std::ranges::find(devices, name, &Device::name);
  EXPECT_NE(found, devices.end()) << name;
  return found == devices.end() ? Device{} : *found;
}

std::vector<std::string> names_of(const base::Result<std::vector<Device>>& devices) {
  std::vector<std::string> names;
  for (const Device& device : devices.value()) names.push_back(device.name);
  return names;
}

// The example that Qualcomm's public documentation prints.
TEST(Catalogue, describes_the_8_elite_reference_device_as_its_documentation_does) {
  const Device device = find(catalogue(), "Snapdragon 8 Elite QRD");
  EXPECT_EQ(device.os, "15");
  for (const char* attribute :
       {"os:android", "format:phone", "vendor:qualcomm", "framework:tflite", "framework:onnx", "framework:qnn",
        "hexagon:v79", "soc-model:69", "chipset:sm8750", "abi:aarch64-android", "htp-supports-fp16:true"}) {
    EXPECT_THAT(device.attributes, Contains(attribute));
  }
}

TEST(Catalogue, describes_the_x_elite_as_its_documentation_does) {
  const Device device = find(catalogue(), "Snapdragon X Elite CRD");
  EXPECT_EQ(device.os, "11");
  for (const char* attribute :
       {"os:windows", "format:compute", "framework:onnx", "framework:qnn", "hexagon:v73", "soc-model:60"}) {
    EXPECT_THAT(device.attributes, Contains(attribute));
  }
  EXPECT_THAT(device.attributes, Not(Contains("framework:tflite")));
}

TEST(Catalogue, gives_no_npu_to_a_chip_without_an_htp) {
  const Device device = find(catalogue(), "Samsung Galaxy Tab S7");
  EXPECT_EQ(device.chip.htp_arch, 66);
  EXPECT_FALSE(device.chip.has_htp());
  EXPECT_THAT(device.attributes, Not(Contains("framework:qnn")));
  EXPECT_THAT(device.attributes, Contains("framework:onnx"));
}

TEST(Catalogue, knows_the_names_of_older_scripts) {
  const auto devices = catalogue();
  struct Row {
    const char* alias;
    int soc_model, htp_arch;
  };
  for (const Row& row : {Row{"Samsung Galaxy S21 (Family)", 30, 68}, Row{"Samsung Galaxy S22 (Family)", 36, 69},
                         Row{"Samsung Galaxy S23 (Family)", 43, 73}, Row{"Samsung Galaxy S24 (Family)", 57, 75},
                         Row{"Samsung Galaxy S25 (Family)", 69, 79}, Row{"QCS6490 (Proxy)", 93, 68},
                         Row{"QCS8550 (Proxy)", 43, 73}, Row{"QCS8450 (Proxy)", 36, 69}, Row{"QCS8275 (Proxy)", 82, 75},
                         Row{"QCS9075 (Proxy)", 77, 73}, Row{"SA8255 (Proxy)", 52, 73}, Row{"SA7255 (Proxy)", 67, 75},
                         Row{"Snapdragon 8 Gen 3 QRD", 57, 75}, Row{"XR2 Gen 2 (Proxy)", 36, 69}}) {
    const Device device = find(devices, row.alias);
    EXPECT_EQ(device.chip.soc_model, row.soc_model) << row.alias;
    EXPECT_EQ(device.chip.htp_arch, row.htp_arch) << row.alias;
  }
}

TEST(Catalogue, has_distinct_names_and_attributes_with_one_colon) {
  const auto devices = catalogue();
  EXPECT_GE(devices.size(), 50U + 20U);
  std::vector<std::string> names;
  for (const Device& device : devices) {
    names.push_back(device.name);
    EXPECT_FALSE(device.os.empty()) << device.name;
    EXPECT_FALSE(device.chip.name.empty()) << device.name;
    for (const auto& attribute : device.attributes) EXPECT_EQ(std::ranges::count(attribute, ':'), 1) << attribute;
  }
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(Catalogue, lets_a_file_of_the_user_add_and_replace) {
  const CatalogueFile own{
      .name = "own.csv",
      .content =
          "name,vendor,format,os,os_version,chipsets,soc_model,hexagon,fp16,weight_sharing,description\n"
          "\"Board, ours\",acme,iot,linux,1.0,qualcomm-x x1,93,68,no,no,\"a \"\"board\"\"\"\r\n"
          "Google Pixel 3,google,phone,android,11,sdm845,1,65,no,no,replaced\n"};
  const auto devices = read_catalogue({file_of("devices.csv"), own});
  ASSERT_TRUE(devices) << devices.error().message;
  EXPECT_EQ(find(*devices, "Board, ours").soc_description, "a \"board\"");
  EXPECT_EQ(find(*devices, "Board, ours").chip.name, "x1");
  EXPECT_EQ(find(*devices, "Google Pixel 3").os, "11");
  EXPECT_EQ(std::ranges::count(*devices, "Google Pixel 3", &Device::name), 1);
}

TEST(Catalogue, names_file_and_line_of_a_mistake) {
  const std::string head =
      "name,vendor,format,os,os_version,chipsets,soc_model,hexagon,fp16,weight_sharing,description\n";
  struct Row {
    std::string content, says;
  };
  for (const Row& row :
       {Row{"name,vendor\nA,b\n", "bad.csv:1: column format is missing"},
        Row{head + "A,v,phone,android,1,c,x,68,no,no,d\n",
            "bad.csv:2: column soc_model: expected a whole number, found 'x'"},
        Row{head + "A,v,phone,android,1,c,1,68,maybe,no,d\n", "bad.csv:2: column fp16: expected yes or no"},
        Row{head + "A,v\n", "bad.csv:2: expected 11 values, found 2"},
        Row{head + "A,v:w,phone,android,1,c,1,68,no,no,d\n", "vendor:v:w"},
        Row{"name,device,vendor,format,chipsets\nA,B,,,\n", "bad.csv:2: no device B"}}) {
    const auto devices = read_catalogue({{.name = "bad.csv", .content = row.content}});
    ASSERT_FALSE(devices) << row.content;
    EXPECT_EQ(devices.error().code, Code::kInvalidArgument);
    EXPECT_THAT(devices.error().message, HasSubstr(row.says));
  }
}

TEST(CompareVersions, goes_number_by_number) {
  EXPECT_LT(compare_versions("9", "12"), 0);
  EXPECT_LT(compare_versions("14", "14.1"), 0);
  EXPECT_EQ(compare_versions("14", "14.0"), 0);
  EXPECT_GT(compare_versions("1.10", "1.9"), 0);
  EXPECT_LT(compare_versions("24.04", "24.10"), 0);
}

TEST(MatchDevices, finds_by_name_version_interval_and_attributes) {
  const auto devices = catalogue();
  EXPECT_EQ(names_of(match_devices(devices, {.name = "Samsung Galaxy Tab S7", .os = "", .attributes = {}})),
            std::vector<std::string>{"Samsung Galaxy Tab S7"});
  EXPECT_TRUE(match_devices(devices, {.name = "Samsung Galaxy Tab", .os = "", .attributes = {}})->empty());
  EXPECT_TRUE(match_devices(devices, {.name = "Samsung Galaxy Tab S7", .os = "12", .attributes = {}})->empty());
  EXPECT_EQ(match_devices(devices, {.name = "Samsung Galaxy Tab S7", .os = "[11,12)", .attributes = {}})->size(), 1U);
  EXPECT_TRUE(match_devices(devices, {.name = "Samsung Galaxy Tab S7", .os = "[,11)", .attributes = {}})->empty());
  EXPECT_EQ(match_devices(devices, {.name = "Samsung Galaxy Tab S7", .os = "[11,)", .attributes = {}})->size(), 1U);
  EXPECT_THAT(
      names_of(match_devices(devices, {.name = "", .os = "", .attributes = {"chipset:sc8380xp", "os:windows"}})),
      ::testing::ElementsAre("Snapdragon X Elite CRD"));
  EXPECT_TRUE(
      match_devices(devices, {.name = "", .os = "", .attributes = {"chipset:sc8380xp", "os:android"}})->empty());
}

TEST(MatchDevices, selects_the_latest_os_and_at_most_one) {
  const auto devices = catalogue();
  const auto newest = match_devices(devices, {.name = "", .os = "[,17)", .attributes = {"os:android"}, .select = true});
  ASSERT_EQ(newest->size(), 1U);
  EXPECT_EQ(newest->front().os, "16");
  EXPECT_TRUE(match_devices(devices, {.name = "none", .os = "", .attributes = {}, .select = true})->empty());
}

TEST(MatchDevices, refuses_what_is_no_half_open_interval) {
  for (const char* os : {"[1,2]", "(1,2)", "[1)", "[1,2,3)", "[[1,2)", "1,2)"}) {
    const auto devices = match_devices({}, {.name = "", .os = os, .attributes = {}});
    ASSERT_FALSE(devices) << os;
    EXPECT_EQ(devices.error().code, Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace slipway::hub::domain
