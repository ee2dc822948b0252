#include "convert/torch_export/read.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include <fmt/ranges.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "convert/torch_export/internal/json_fields.hpp"
#include "convert/torch_export/internal/stored_tensors.hpp"
#include "convert/torch_export/internal/symbolic_size.hpp"

namespace slipway::convert::torch_export {
namespace {

using namespace internal;  // the typed fields of a document
using archive::ZipArchive;
using aten::Argument;
using aten::Graph;
using aten::ValueId;
using base::Code;
using base::Result;

constexpr std::uint64_t kLargestProgram = 512ULL << 20U;
constexpr std::int64_t kMajor = 8;
constexpr int kDeepestGraph = 16;

constexpr std::string_view kPrograms = "models/";
/// Where older releases of PyTorch (before 2.8) put the program.
constexpr std::string_view kOldProgram = "serialized_exported_program.json";

/// Names of the programs in an archive: "model".
std::vector<std::string> program_names(const ZipArchive& archive) {
  std::vector<std::string> names;
  for (const ZipArchive::Entry& entry : archive.entries()) {
    if (!entry.name.starts_with(kPrograms) || !entry.name.ends_with(".json")) continue;
    names.push_back(entry.name.substr(kPrograms.size(), entry.name.size() - kPrograms.size() - 5));
  }
  return names;
}

aten::Dimension dimension_of(const json& written) {
  const auto [form, held] = member(written);
  if (form == "as_int") return {integer(*held), ""};
  if (form != "as_expr") throw Malformed(fmt::format("a size of the form '{}'", form));
  return {std::nullopt, readable_expression(text(field(*held, "expr_str")))};
}

/// nullopt where they are not declared, or one follows from a symbol.
std::optional<std::vector<std::int64_t>> strides_of(const json& meta) {
  const auto declared = meta.find("strides");
  if (declared == meta.end()) return std::nullopt;
  std::vector<std::int64_t> strides;
  for (const json& stride : list(*declared)) {
    const auto [form, held] = member(stride);
    if (form != "as_int") return std::nullopt;
    strides.push_back(integer(*held));
  }
  return strides;
}

aten::TensorMeta meta_of(const json& written) {
  aten::TensorMeta meta{scalar_type(field(written, "dtype")), {}};
  const json& sizes = list(field(written, "sizes"));
  if (sizes.size() > kMostAxes) {
    throw Malformed(fmt::format("a tensor of {} dimensions, expected at most {}", sizes.size(), kMostAxes));
  }
  for (const json& size : sizes) meta.sizes.push_back(dimension_of(size));
  meta.strides = strides_of(written);
  return meta;
}

/// The innermost line that is not PyTorch's own: "net.py:10: x = self.conv(x)".
std::string line_of(const std::string& trace) {
  std::string chosen, last;
  std::size_t at = 0;
  while ((at = trace.find("File \"", at)) != std::string::npos) {
    const auto name_begin = at + 6, name_end = trace.find('"', name_begin);
    if (name_end == std::string::npos) break;
    const std::string file = trace.substr(name_begin, name_end - name_begin);
    const auto line_begin = trace.find("line ", name_end);
    const auto line_end = trace.find_first_of(",\n", line_begin);
    if (line_begin == std::string::npos) break;
    const std::string number =
        trace.substr(line_begin + 5, line_end == std::string::npos ? line_end : line_end - line_begin - 5);
    std::string code;
    if (const auto code_begin = trace.find('\n', line_begin); code_begin != std::string::npos) {
      const auto code_end = std::min(trace.find('\n', code_begin + 1), trace.size());
      code = base::trimmed(std::string_view(trace).substr(code_begin + 1, code_end - code_begin - 1));
    }
    last = fmt::format("{}:{}: {}", file.substr(file.find_last_of('/') + 1), number, code);
    const bool is_made_up = file.starts_with('<');  // "<eval_with_key>.41": code that PyTorch wrote for itself
    if (file.find("/torch/") == std::string::npos && !file.starts_with("torch/") && !is_made_up) chosen = last;
    at = name_end;
  }
  return chosen.empty() ? last : chosen;
}

/// The second field of the innermost entry of "key,path,type;key,path,type".
std::string module_path_of(const std::string& stack) {
  const auto begin = stack.find_last_of(';');
  const std::string last = begin == std::string::npos ? stack : stack.substr(begin + 1);
  const auto first_comma = last.find(',');
  if (first_comma == std::string::npos) return {};
  const std::string path = last.substr(first_comma + 1, last.find(',', first_comma + 1) - first_comma - 1);
  // Paths are of identifiers and numbers; the exporter's own entries are not.
  const bool is_path =
      std::ranges::all_of(path, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.'; });
  return is_path && !path.starts_with("_empty_nn_module_stack") ? path : std::string();
}

bool is_dropped(std::string_view target) {
  static constexpr auto kPrefixes = std::to_array<std::string_view>(
      {"aten._assert_", "aten.sym_constrain_range", "aten._functional_assert", "aten._functional_sym_constrain"});
  return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return target.starts_with(prefix); });
}

/// Reads one program.
class Reader {
 public:
  explicit Reader(const json& program) : program_(program) {}

  Graph read(std::map<std::string, aten::StoredTensor> weights, std::map<std::string, aten::StoredTensor> constants) {
    graph_.producer = "PyTorch " + program_.value("torch_version", "");
    const json& module = field(program_, "graph_module");
    const json& graph = field(module, "graph");
    if (const auto ranges = program_.find("range_constraints"); ranges != program_.end()) read_ranges(*ranges);
    Names names;
    declare(graph, names);
    const json& signature = field(module, "signature");
    for (const json& spec : list(field(signature, "input_specs"))) read_input(spec, names, weights, constants);
    read_nodes(graph, names, 0);
    for (const json& spec : list(field(signature, "output_specs"))) read_output(spec, names);
    return std::move(graph_);
  }

  /// Where it was when it failed.
  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  /// Values by name, in one graph: an inner graph has names of its own. What a name stands for may be a constant.
  struct Names {
    std::unordered_map<std::string, Argument> values;
    const json* metas = nullptr;
  };

  void read_ranges(const json& ranges) {
    for (const auto& [symbol, range] : ranges.items()) {
      aten::SymbolRange& held = graph_.symbols[symbol];
      if (const json& least = field(range, "min_val"); least.is_number_integer()) held.smallest = integer(least);
      if (const json& most = field(range, "max_val"); most.is_number_integer()) held.largest = integer(most);
    }
  }

  static void declare(const json& graph, Names& names) {
    if (const auto metas = graph.find("tensor_values"); metas != graph.end()) names.metas = &*metas;
  }

  ValueId define(const std::string& name, Names& names) {
    std::optional<aten::TensorMeta> meta;
    if (names.metas != nullptr) {
      if (const auto found = names.metas->find(name); found != names.metas->end()) meta = meta_of(*found);
    }
    const ValueId value = graph_.add_value(name, std::move(meta));
    if (!names.values.emplace(name, aten::Reference{value}).second)
      throw Malformed(fmt::format("'{}' is given twice", name));
    return value;
  }

  static const Argument& find(const std::string& name, const Names& names) {
    const auto found = names.values.find(name);
    if (found == names.values.end()) throw Malformed(fmt::format("'{}' is read before anything gives it", name));
    return found->second;
  }

  void read_input(const json& spec, Names& names, std::map<std::string, aten::StoredTensor>& weights,
                  std::map<std::string, aten::StoredTensor>& constants) {
    const auto [kind, held] = member(spec);
    place_ = "the signature's input '" + kind + "'";
    if (kind == "user_input") {
      const auto [form, argument] = member(field(*held, "arg"));
      if (form == "as_tensor") {
        const std::string& name = text(field(*argument, "name"));
        graph_.inputs.push_back({define(name, names), name});
      } else if (form == "as_sym_int" || form == "as_sym_float" || form == "as_sym_bool") {
        throw Unsupported("an input that is a number and no tensor");
      }
      return;
    }
    if (kind == "constant_input") {
      const std::string& name = text(field(*held, "name"));
      names.values.emplace(name, constant_of(field(*held, "value")));
      return;
    }
    static const std::map<std::string, std::pair<const char*, aten::StoredKind>> kinds = {
        {"parameter", {"parameter_name", aten::StoredKind::kParameter}},
        {"buffer", {"buffer_name", aten::StoredKind::kBuffer}},
        {"tensor_constant", {"tensor_constant_name", aten::StoredKind::kConstant}}};
    const auto found = kinds.find(kind);
    if (found == kinds.end()) throw Unsupported(fmt::format("inputs of the kind '{}' are not taken", kind));
    const std::string& path = text(field(*held, found->second.first));
    const std::string& name = text(field(field(*held, "arg"), "name"));
    place_ = "'" + path + "'";
    auto stored = weights.find(path);
    if (stored == weights.end()) {
      stored = constants.find(path);
      if (stored == constants.end()) throw Malformed("the archive holds no tensor of this name");
    }
    const ValueId value = define(name, names);
    if (const auto& meta = graph_.values[value].meta) {
      bool fits = meta->dtype == stored->second.dtype && meta->sizes.size() == stored->second.shape.size();
      for (std::size_t i = 0; fits && i < meta->sizes.size(); ++i)
        fits = meta->sizes[i].size == stored->second.shape[i];
      if (!fits) throw Malformed(fmt::format("it is declared as {} and stored otherwise", aten::to_string(*meta)));
    }
    graph_.stored.push_back({value, found->second.second, path, stored->second});
  }

  static Argument constant_of(const json& value) {
    const auto [form, held] = member(value);
    if (form == "as_none") return aten::None{};
    if (form == "as_int") return integer(*held);
    if (form == "as_float") return real(*held);
    if (form == "as_string") return text(*held);
    if (form == "as_bool") return held->get<bool>();
    throw Unsupported(fmt::format("a constant of the form '{}'", form));
  }

  void read_output(const json& spec, const Names& names) {
    const auto [kind, held] = member(spec);
    place_ = "the signature's output '" + kind + "'";
    if (kind == "buffer_mutation" || kind == "parameter_mutation") {
      const char* const name = kind == "buffer_mutation" ? "buffer_name" : "parameter_name";
      throw Unsupported(
          fmt::format("the program changes '{}', which an ONNX model cannot keep: return it as an output and take "
                      "it as an input instead",
                      text(field(*held, name))));
    }
    if (kind == "user_input_mutation") {
      throw Unsupported(fmt::format(
          "the program changes its input '{}' in place, which an ONNX model cannot: change a clone of it and "
          "return that as an output",
          text(field(*held, "user_input_name"))));
    }
    if (kind != "user_output") throw Unsupported(fmt::format("outputs of the kind '{}' are not taken", kind));
    Argument argument = argument_of(field(*held, "arg"), names, 0);
    std::string name = "output";
    if (const auto* const reference = argument.get<aten::Reference>()) name = graph_.values[reference->value].name;
    graph_.outputs.push_back({std::move(argument), std::move(name)});
  }

  Argument symbol_of(const json& written, const Names& names) {
    const auto [form, held] = member(written);
    if (form == "as_name") return find(text(*held), names);
    if (form == "as_int") return integer(*held);
    if (form == "as_float") return real(*held);
    if (form == "as_bool") return held->get<bool>();
    throw Malformed(fmt::format("a number of the form '{}'", form));
  }

  template <typename Read>
  static aten::List list_of(const json& elements, Read&& read) {
    aten::List arguments;
    for (const json& each : list(elements)) arguments.push_back(read(each));
    return arguments;
  }

  Argument argument_of(const json& written, const Names& names, int depth) {
    if (depth > aten::kDeepestList) throw Malformed("lists are nested too deeply");
    const auto [form, held] = member(written);
    const auto tensor = [&](const json& each) { return find(text(field(each, "name")), names); };
    if (form == "as_tensor") return tensor(*held);
    if (form == "as_tensors") return list_of(*held, tensor);
    if (form == "as_nested_tensors")
      return list_of(*held, [&](const json& each) -> Argument { return list_of(each, tensor); });
    if (form == "as_optional_tensor") return optional_tensor(*held, names);
    if (form == "as_optional_tensors")
      return list_of(*held, [&](const json& each) { return optional_tensor(each, names); });
    if (form == "as_none") return aten::None{};
    if (form == "as_int") return integer(*held);
    if (form == "as_float") return real(*held);
    if (form == "as_bool") return held->get<bool>();
    if (form == "as_string") return text(*held);
    if (form == "as_ints") return list_of(*held, [](const json& each) -> Argument { return integer(each); });
    if (form == "as_int_lists") {
      return list_of(*held, [](const json& each) -> Argument {
        return list_of(each, [](const json& inner) -> Argument { return integer(inner); });
      });
    }
    if (form == "as_floats") return list_of(*held, [](const json& each) -> Argument { return real(each); });
    if (form == "as_bools") return list_of(*held, [](const json& each) -> Argument { return each.get<bool>(); });
    if (form == "as_strings") return list_of(*held, [](const json& each) -> Argument { return text(each); });
    if (form == "as_sym_int" || form == "as_sym_float" || form == "as_sym_bool") return symbol_of(*held, names);
    if (form == "as_sym_ints" || form == "as_sym_floats" || form == "as_sym_bools") {
      return list_of(*held, [&](const json& each) { return symbol_of(each, names); });
    }
    if (form == "as_scalar_type") return scalar_type(*held);
    if (form == "as_memory_format") {
      // The export numbers them otherwise than ATen.
      static constexpr auto kFormats = std::to_array<aten::MemoryFormat>(
          {aten::MemoryFormat::kContiguous, aten::MemoryFormat::kContiguous, aten::MemoryFormat::kChannelsLast,
           aten::MemoryFormat::kChannelsLast3d, aten::MemoryFormat::kPreserve});
      const std::int64_t number = integer(*held);
      if (number < 0 || number >= static_cast<std::int64_t>(kFormats.size()))
        throw Malformed("an unknown memory format");
      return kFormats[static_cast<std::size_t>(number)];
    }
    if (form == "as_layout") {
      constexpr std::int64_t kStrided = 7;
      if (integer(*held) != kStrided) throw Unsupported("layouts other than strided are not taken");
      return aten::Layout{0};
    }
    if (form == "as_device") return aten::Device{text(field(*held, "type"))};
    throw Unsupported(fmt::format("arguments of the form '{}' are not taken", form));
  }

  Argument optional_tensor(const json& written, const Names& names) {
    const auto [form, held] = member(written);
    if (form == "as_none") return aten::None{};
    if (form != "as_tensor") throw Malformed(fmt::format("a tensor of the form '{}'", form));
    return find(text(field(*held, "name")), names);
  }

  void read_nodes(const json& graph, Names& names, int depth) {
    if (depth > kDeepestGraph) throw Malformed("graphs are nested too deeply");
    for (const json& written : list(field(graph, "nodes"))) read_node(written, names, depth);
  }

  void read_node(const json& written, Names& names, int depth) {
    std::string target = text(field(written, "target"));
    constexpr std::string_view kOps = "torch.ops.";
    if (target.starts_with(kOps)) target.erase(0, kOps.size());
    aten::Node node{target, {}, {}, {}};
    if (const auto metadata = written.find("metadata"); metadata != written.end() && metadata->is_object()) {
      node.source.line = line_of(metadata->value("stack_trace", ""));
      node.source.module_path = module_path_of(metadata->value("nn_module_stack", ""));
    }
    place_ = fmt::format("{}{}{}", target, node.source.module_path.empty() ? "" : " in " + node.source.module_path,
                         node.source.line.empty() ? "" : " (" + node.source.line + ")");
    if (is_dropped(target)) return;
    if (target.starts_with("higher_order.")) return inline_graph(written, target, names, depth);
    // Functions of Python itself are called by position, whatever their parameters are called.
    const bool is_positional =
        target.starts_with("_operator.") || target.starts_with("math.") || target.starts_with("torch.");
    for (const json& input : list(field(written, "inputs"))) {
      node.arguments.push_back(
          {is_positional ? std::string() : text(field(input, "name")), argument_of(field(input, "arg"), names, 0)});
    }
    for (const json& output : list(field(written, "outputs"))) node.outputs.push_back(output_of(output, names));
    graph_.nodes.push_back(std::move(node));
  }

  aten::Output output_of(const json& written, Names& names) {
    const auto [form, held] = member(written);
    if (form == "as_tensor") return {{define(text(field(*held, "name")), names)}, false};
    if (form == "as_tensors") {
      aten::Output output{{}, true};
      for (const json& each : list(*held)) output.values.push_back(define(text(field(each, "name")), names));
      return output;
    }
    if (form == "as_sym_int" || form == "as_sym_float" || form == "as_sym_bool") {
      return {{define(text(field(*held, "as_name")), names)}, false};
    }
    if (form == "as_optional_tensor") {
      const auto [inner_form, inner] = member(*held);
      if (inner_form == "as_tensor") return {{define(text(field(*inner, "name")), names)}, false};
    }
    // None, or a constant that nothing refers to: a place of its own keeps the others in order.
    return {{graph_.add_value("")}, false};
  }

  /// What a call that only switches gradients or autocasting wraps is put in its place.
  void inline_graph(const json& written, const std::string& target, Names& names, int depth) {
    if (target != "higher_order.wrap_with_set_grad_enabled" && target != "higher_order.wrap_with_autocast") {
      throw Unsupported("control flow and other operators over graphs are not taken; export the model without it");
    }
    const json* inner = nullptr;
    std::vector<Argument> arguments;
    for (const json& input : list(field(written, "inputs"))) {
      const auto [form, held] = member(field(input, "arg"));
      if (form == "as_graph") {
        inner = &field(*held, "graph");
      } else if (inner != nullptr) {
        arguments.push_back(argument_of(field(input, "arg"), names, 0));
      } else if (target == "higher_order.wrap_with_autocast" && form == "as_bool" && held->get<bool>()) {
        throw Unsupported("autocasting changes types as the model runs; export it without autocast");
      }
    }
    if (inner == nullptr) throw Malformed("the graph that it wraps is missing");
    Names inner_names;
    declare(*inner, inner_names);
    const json& inputs = list(field(*inner, "inputs"));
    if (inputs.size() != arguments.size())
      throw Malformed(fmt::format("{} arguments for {} inputs", arguments.size(), inputs.size()));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto [form, held] = member(inputs[i]);
      const json& name = form == "as_tensor" ? field(*held, "name") : field(*held, "as_name");
      inner_names.values.emplace(text(name), arguments[i]);
    }
    read_nodes(*inner, inner_names, depth + 1);
    std::vector<Argument> results;
    for (const json& output : list(field(*inner, "outputs"))) results.push_back(argument_of(output, inner_names, 0));
    std::size_t next = 0;
    const auto bind = [&](const json& output) {
      const auto [form, held] = member(output);
      if (next >= results.size()) throw Malformed("more results than the graph that it wraps gives");
      if (form == "as_none") {
        ++next;
        return;
      }
      const json& name = form == "as_tensor" ? field(*held, "name") : field(*held, "as_name");
      if (!names.values.emplace(text(name), results[next++]).second) throw Malformed("a value is given twice");
    };
    for (const json& output : list(field(written, "outputs"))) {
      const auto [form, held] = member(output);
      if (form == "as_tensors") {
        for (const json& each : list(*held)) bind(json{{"as_tensor", each}});
      } else {
        bind(output);
      }
    }
  }

  const json& program_;
  Graph graph_;
  std::string place_;
};

}  // namespace

bool is_torch_export(const ZipArchive& archive) {
  return !program_names(archive).empty() || archive.find(kOldProgram) != nullptr ||
         archive.find("archive_format") != nullptr;
}

Result<Graph> read(const ZipArchive& archive) {
  if (archive.find(kOldProgram) != nullptr) {
    return base::fail(
        Code::kUnimplemented,
        "a torch.export archive of PyTorch before 2.8 (schema major below 8); export the model with 2.8 or newer");
  }
  const std::vector<std::string> programs = program_names(archive);
  if (programs.empty()) return base::fail(Code::kInvalidArgument, "no program (models/*.json) in this archive");
  if (programs.size() > 1) {
    return base::fail(Code::kUnimplemented, "the archive holds {} programs ({}); save one a file", programs.size(),
                      fmt::join(programs, ", "));
  }
  for (const ZipArchive::Entry& entry : archive.entries()) {
    if (!entry.is_deflated) continue;
    return base::fail(
        Code::kInvalidArgument,
        "entry '{}' is deflated; torch.export stores every entry as it is, so the archive was packed again "
        "by another program: save it again by torch.export.save",
        base::valid_utf8(entry.name));
  }
  const std::string& name = programs.front();
  const std::string path = fmt::format("{}{}.json", kPrograms, name);
  SLIPWAY_ASSIGN(const std::string document, archive.unpack(path, kLargestProgram));
  SLIPWAY_ASSIGN(auto weights, read_stored_tensors(archive, "data/weights/", name + "_weights_config.json"));
  SLIPWAY_ASSIGN(auto constants, read_stored_tensors(archive, "data/constants/", name + "_constants_config.json"));
  std::string place = "the text";
  try {
    const json program = json::parse(document);
    place = "schema_version";
    const std::int64_t major = integer(field(field(program, "schema_version"), "major"));
    if (major != kMajor) {
      return base::fail(Code::kUnimplemented,
                        "{}: expected schema major {}, found {}; export the model with another "
                        "release of PyTorch (2.8 to 2.15 write {})",
                        path, kMajor, major, kMajor);
    }
    Reader reader(program);
    try {
      return reader.read(std::move(weights), std::move(constants));
    } catch (const Unsupported& refusal) {
      return base::fail(Code::kUnimplemented, "{}: {}: {}", path, reader.place(), refusal.what());
    } catch (const std::exception& error) {
      place = reader.place();
      return base::fail(Code::kInvalidArgument, "{}: {}: {}", path, place, error.what());
    }
  } catch (const std::exception& error) {
    return base::fail(Code::kInvalidArgument, "{}: {}: {}", path, place, base::valid_utf8(error.what()));
  }
}

}  // namespace slipway::convert::torch_export
