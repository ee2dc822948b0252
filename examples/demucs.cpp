// Stems of one song: demucs_example MODEL SONG FOLDER
#include <cstdio>

#include "or_exit.hpp"

#include "pipelines/demucs/separate.hpp"
#include "runtime/environment.hpp"

using namespace slipway;

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: %s MODEL SONG FOLDER\n", argv[0]), 2;
  const auto environment = or_exit(runtime::Environment::open(or_exit(runtime::locate_libraries())));
  const auto folder = or_exit(pipelines::ModelFolder::open(argv[1]));
  auto network = or_exit(pipelines::demucs::Network::load(environment, folder, {}));

  pipelines::demucs::SeparationOptions options;
  options.progress = [](auto done, auto total) {
    std::fprintf(stderr, "\r%ld of %ld segments", long(done), long(total));
  };
  const auto report = or_exit(pipelines::demucs::separate(*network, argv[2], argv[3], options));
  for (const auto& stem : report.stems) std::printf("%s  %s\n", stem.name.c_str(), stem.file.c_str());
  std::printf("%.1f s of sound in %.1f s\n", double(report.frames) / report.sample_rate, report.total_seconds);
}
