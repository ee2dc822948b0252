# Writes a C++ source that holds files as string literals. Run as a script:
# cmake -DOUTPUT=web_files.cpp "-DFILES=a.css|b.js" -P EmbedFiles.cmake
set(body "")
string(REPLACE "|" ";" FILES "${FILES}")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(MAKE_C_IDENTIFIER ${name} identifier)
  string(APPEND arrays "constexpr char k_${identifier}[] = {${bytes} 0};\n")
  string(APPEND body "    {\"${name}\", {k_${identifier}, sizeof(k_${identifier}) - 1}},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made from web/ by cmake/EmbedFiles.cmake.
#include <array>

#include \"hub/server/internal/web_files.hpp\"

namespace slipway::hub::server::internal {
namespace {
${arrays}
constexpr auto kFiles = std::to_array<WebFile>({
${body}});
}  // namespace

std::span<const WebFile> web_files() { return kFiles; }
}  // namespace slipway::hub::server::internal
")
