#pragma once

#include <CLI/CLI.hpp>

namespace slipway::cli {

class Context;

/// Adds all verbs, in the order of `slipway --help`, and the examples of their helps.
void add_verbs(CLI::App& app, Context& context);

// One function a verb, each in a file of its name. Adding a verb is one line here and one in verbs.cpp.
void add_inspect(CLI::App& app, Context& context);
void add_infer(CLI::App& app, Context& context);
void add_profile(CLI::App& app, Context& context);
void add_bench(CLI::App& app, Context& context);
void add_demucs(CLI::App& app, Context& context);
void add_drone(CLI::App& app, Context& context);
void add_face_det_lite(CLI::App& app, Context& context);
void add_mediapipe_face(CLI::App& app, Context& context);
void add_mediapipe_hand(CLI::App& app, Context& context);
void add_mediapipe_pose(CLI::App& app, Context& context);
void add_samurai(CLI::App& app, Context& context);
void add_quantize(CLI::App& app, Context& context);
void add_compile(CLI::App& app, Context& context);
void add_convert(CLI::App& app, Context& context);
void add_serve(CLI::App& app, Context& context);
void add_token(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);

}  // namespace slipway::cli
