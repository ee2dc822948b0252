#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx.pb.h>
#include <sys/stat.h>

#include "base/files.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"

/// Files as an attacker, a broken disk or an unlucky upload makes them: each is refused, in words.
namespace slipway::compile::onnx_graph {
namespace {

using base::Code;
using ::testing::HasSubstr;

class HostileModel : public ::testing::Test {
 protected:
  std::filesystem::path folder() const { return folder_.path(); }

  /// The refusal of a model whose weight is external with these entries.
  base::Error refusal(testing::Entries entries) {
    testing::write(folder() / "net.onnx", testing::external_weight_net(entries));
    return refusal_of_file();
  }
  base::Error refusal_of_file() {
    auto model = Model::read(folder() / "net.onnx");
    EXPECT_FALSE(model) << "was accepted";
    return model ? base::Error{} : model.error();
  }
  base::Error refusal_of(const onnx::ModelProto& model) {
    auto read = Model::parse(model.SerializeAsString(), folder());
    EXPECT_FALSE(read) << "was accepted";
    return read ? base::Error{} : read.error();
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("hostile-test").value();
};

TEST_F(HostileModel, the_honest_external_file_is_accepted) {
  testing::write(folder() / "w.bin", std::string(20, '\0'));
  testing::write(folder() / "net.onnx",
                 testing::external_weight_net({{"location", "./w.bin"}, {"offset", "12"}, {"length", "8"}}));
  const auto model = Model::read(folder() / "net.onnx");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT(model->summary().external_files, ::testing::ElementsAre("w.bin"));
}

TEST_F(HostileModel, an_empty_file_is_refused) {
  testing::write(folder() / "net.onnx", "");
  EXPECT_THAT(refusal_of_file().message, HasSubstr("empty"));
}

TEST_F(HostileModel, values_of_the_graph_without_a_name_are_refused) {
  onnx::ModelProto whole;
  ASSERT_TRUE(whole.ParseFromString(testing::conv_net()));
  onnx::ModelProto model = whole;
  model.mutable_graph()->mutable_input(0)->clear_name();
  EXPECT_THAT(refusal_of(model).message, HasSubstr("an input of the graph has no name"));
  model = whole;
  model.mutable_graph()->mutable_output(0)->clear_name();
  EXPECT_THAT(refusal_of(model).message, HasSubstr("an output of the graph has no name"));
  model = whole;
  model.mutable_graph()->mutable_initializer(0)->clear_name();
  EXPECT_THAT(refusal_of(model).message, HasSubstr("an initializer of the graph has no name"));
  model = whole;
  model.mutable_graph()->add_sparse_initializer();
  EXPECT_THAT(refusal_of(model).message, HasSubstr("a sparse initializer of the graph has no name"));
}

TEST_F(HostileModel, a_missing_file_and_a_folder_are_refused) {
  EXPECT_EQ(refusal_of_file().code, Code::kNotFound);
  std::filesystem::create_directory(folder() / "net.onnx");
  EXPECT_THAT(refusal_of_file().message, HasSubstr("not a file"));
}

TEST_F(HostileModel, every_truncation_is_refused) {
  const std::string whole = testing::quantized_conv_net();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto model = Model::parse(std::string_view(whole).substr(0, length), {});
    ASSERT_FALSE(model) << length << " of " << whole.size() << " bytes were accepted";
    ASSERT_EQ(model.error().code, Code::kInvalidArgument);
  }
}

TEST_F(HostileModel, random_bytes_are_refused) {
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    std::string bytes(1 + random() % 300, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_FALSE(Model::parse(bytes, {})) << "round " << round;
  }
}

TEST_F(HostileModel, a_missing_external_file_is_named) {
  const auto error = refusal({{"location", "weights.bin"}});
  EXPECT_EQ(error.code, Code::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("\"weights.bin\" is missing"));
  EXPECT_THAT(error.message, HasSubstr("tensor weight"));
}

TEST_F(HostileModel, paths_that_climb_out_are_refused) {
  testing::write(folder().parent_path() / "outside.bin", std::string(8, '\0'));
  std::filesystem::create_directory(folder() / "sub");
  for (const char* path : {"../outside.bin", "sub/../../outside.bin", "sub/..", ".."}) {
    EXPECT_THAT(refusal({{"location", path}}).message, HasSubstr("climbs out")) << path;
  }
  std::filesystem::remove(folder().parent_path() / "outside.bin");
}

TEST_F(HostileModel, absolute_paths_drives_backslashes_and_addresses_are_refused) {
  EXPECT_THAT(refusal({{"location", "/etc/passwd"}}).message, HasSubstr("absolute"));
  EXPECT_THAT(refusal({{"location", "C:weights"}}).message, HasSubstr("drive"));
  EXPECT_THAT(refusal({{"location", "..\\weights"}}).message, HasSubstr("ackslash"));
  EXPECT_THAT(refusal({{"location", "*/_ORT_MEM_ADDR_/*"}}).message, HasSubstr("memory address"));
  EXPECT_THAT(refusal({{"location", ""}}).message, HasSubstr("empty"));
  EXPECT_THAT(refusal({{"location", "./."}}).message, HasSubstr("no file"));
}

TEST_F(HostileModel, symbolic_links_are_refused_also_as_folders) {
  std::filesystem::create_symlink("/etc/passwd", folder() / "link");
  EXPECT_THAT(refusal({{"location", "link"}}).message, HasSubstr("symbolic link"));
  std::filesystem::create_directory_symlink("/etc", folder() / "folder");
  EXPECT_THAT(refusal({{"location", "folder/passwd"}}).message, HasSubstr("symbolic link"));
}

TEST_F(HostileModel, folders_and_pipes_are_not_data) {
  std::filesystem::create_directory(folder() / "sub");
  EXPECT_THAT(refusal({{"location", "sub"}}).message, HasSubstr("not a plain file"));
  ASSERT_EQ(::mkfifo((folder() / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(refusal({{"location", "pipe"}}).message, HasSubstr("not a plain file"));
}

TEST_F(HostileModel, lengths_and_offsets_outside_of_the_file_are_refused) {
  testing::write(folder() / "w.bin", std::string(8, '\0'));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"length", "18446744073709551615"}}).message, HasSubstr("need 8"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "1"}}).message, HasSubstr("has 8 bytes"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "18446744073709551615"}}).message, HasSubstr("has 8 bytes"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "-1"}}).message, HasSubstr("expected a number"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "0x0"}}).message, HasSubstr("expected a number"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"offset", "18446744073709551616"}}).message,
              HasSubstr("expected a number"));
}

TEST_F(HostileModel, duplicate_unknown_and_missing_keys_are_refused) {
  testing::write(folder() / "w.bin", std::string(8, '\0'));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"location", "/etc/passwd"}}).message, HasSubstr("stands twice"));
  EXPECT_THAT(refusal({{"location", "w.bin"}, {"basepath", "/etc"}}).message, HasSubstr("unknown key \"basepath\""));
  EXPECT_THAT(refusal({{"offset", "0"}}).message, HasSubstr("without a location"));
}

TEST_F(HostileModel, inline_tensors_must_hold_what_their_shape_claims) {
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(testing::conv_net()));
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  tensor.set_dims(0, std::int64_t{1} << 61);
  EXPECT_THAT(refusal_of(model).message, HasSubstr("tensor b1"));
  tensor.set_dims(0, -8);
  EXPECT_THAT(refusal_of(model).message, HasSubstr("negative"));
  tensor.clear_float_data();
  tensor.set_raw_data("four");
  tensor.set_dims(0, 2);
  EXPECT_THAT(refusal_of(model).message, HasSubstr("need 8 bytes, but 4"));
}

TEST_F(HostileModel, a_context_binary_outside_of_the_folder_is_refused) {
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(testing::conv_net()));
  auto& node = *model.mutable_graph()->add_node();
  node.set_op_type("EPContext");
  node.set_domain("com.microsoft");
  auto* mode = node.add_attribute();
  mode->set_name("embed_mode");
  mode->set_i(0);
  auto* context = node.add_attribute();
  context->set_name("ep_cache_context");
  context->set_s("../../secret.bin");
  EXPECT_THAT(refusal_of(model).message, HasSubstr("climbs out"));
}

TEST_F(HostileModel, functions_that_call_themselves_are_refused) {
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(testing::conv_net()));
  for (const auto& [name, callee] : {std::pair{"A", "B"}, std::pair{"B", "A"}}) {
    auto* function = model.add_functions();
    function->set_domain("own");
    function->set_name(name);
    auto* node = function->add_node();
    node->set_domain("own");
    node->set_op_type(callee);
  }
  EXPECT_THAT(refusal_of(model).message, HasSubstr("calls itself"));
}

TEST_F(HostileModel, very_deep_nesting_is_refused_and_does_not_fill_the_stack) {
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(testing::conv_net()));
  // Serialised inside out: protobuf itself would recurse.
  std::string graph = model.graph().SerializeAsString();
  for (int depth = 0; depth < 200; ++depth) {
    const auto wrapped = [](char tag, const std::string& inner) {
      std::string size;
      for (std::size_t rest = inner.size();; rest >>= 7) {
        size += static_cast<char>((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
        if (rest <= 0x7F) break;
      }
      return tag + size + inner;
    };
    graph = wrapped('\x0a', wrapped('\x2a', wrapped('\x32', graph)));  // node { attribute { g { … } } }
  }
  onnx::ModelProto empty;
  empty.set_ir_version(8);
  std::string bytes = empty.SerializeAsString() + '\x3a';
  for (std::size_t rest = graph.size();; rest >>= 7) {
    bytes += static_cast<char>((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
    if (rest <= 0x7F) break;
  }
  EXPECT_FALSE(Model::parse(bytes + graph, {}));
}

}  // namespace
}  // namespace slipway::compile::onnx_graph
