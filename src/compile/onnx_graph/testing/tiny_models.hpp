#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>

/// Serialised ONNX models of a few hundred bytes for tests; weights are seeded. Each is written by a function that says
/// what is special about it.
namespace slipway::compile::onnx_graph::testing {

/// image float32[1,3,16,16] (or [batch,3,16,16]) -> conv 3x3 -> relu -> conv 3x3 stride 2 -> sigmoid -> scores
/// float32[1,4,8,8]. One weight stands in a Constant node.
[[nodiscard]] std::string conv_net(bool dynamic_batch = false);

/// The same shape of net with uint8 activations and int8 weights between QuantizeLinear and DequantizeLinear; inputs
/// and outputs are float.
[[nodiscard]] std::string quantized_conv_net();

/// ids int64[6], offset int64[1] -> (ids + offset) * spread picks rows of a float table; outputs rows float32[6,4] and
/// the ids that were picked, int64[6], and the two largest of them by TopK, int64[2].
[[nodiscard]] std::string lookup_net(std::int64_t spread = 3);

/// ids int64[1,4], read by Gather and by Shape -> embeddings of ids and of their positions, added -> y float32[1,4,4]:
/// the pattern of text encoders.
[[nodiscard]] std::string positions_net();

/// ids int64[1,4], read by Gather and by ArgMax -> the embedding of the largest id -> y float32[1,1,4].
[[nodiscard]] std::string last_token_net();

/// x float32[2,3,4] -> y int64[2,1,4], z_abs float32[2,1,4], and y once more, with nodes called "y/Cast" and
/// "y/Transpose", as converters from TensorFlow leave them.
[[nodiscard]] std::string clashing_names_net();

/// x float32[2,3], ids int64[2], condition bool -> an If with an If inside, whose graphs read x, ids and the inner
/// value "hidden" from outside and use the same names in both branches -> chosen float32[2,3], y float32[2,3].
[[nodiscard]] std::string branching_net();

/// ids int64[3] -> a call of the local function own::Doubled -> twice int64[3].
[[nodiscard]] std::string function_net();

/// x float32 of unknown rank -> Relu -> y of the same, or of no type at all.
[[nodiscard]] std::string net_without_shapes(bool types_output);

/// matrix float32[1,4,4] -> Relu "before" -> Det "determinant" -> Neg "after" -> value float32[1]: no NPU knows Det.
[[nodiscard]] std::string determinant_net();

/// matrix float32[1,4,4] -> Det "determinant" -> value float32[1]: nothing for an NPU.
[[nodiscard]] std::string determinant_alone();

/// left, right float32[2] -> difference float32[2], and left handed through as an output of its own.
[[nodiscard]] std::string subtraction_net();

/// x float32[64] * factor -> y.
[[nodiscard]] std::string scaling_net(float factor);

/// x float32[64] -> the square root of it, NaN below zero.
[[nodiscard]] std::string root_net();

/// x float32[64] -> y = x + noise by RandomUniform, which has a seed or has none, and kept = Relu(x).
[[nodiscard]] std::string noisy_net(bool has_seed);

/// ids int64[1,8] picks rows of a table of 30, mask int64[1,8] is taken from 1 and scaled, both are summed up to y
/// float32[1,8,4].
[[nodiscard]] std::string masked_lookup_net();

/// data float32[2] + weight float32[2], where the weight's data_location is EXTERNAL with these entries.
using Entries = std::initializer_list<std::pair<const char*, const char*>>;
[[nodiscard]] std::string external_weight_net(Entries entries);

void write(const std::filesystem::path& path, const std::string& bytes);

}  // namespace slipway::compile::onnx_graph::testing
