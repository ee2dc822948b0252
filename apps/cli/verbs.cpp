#include "apps/cli/verbs.hpp"

#include "apps/cli/examples.hpp"

namespace slipway::cli {
namespace {

using AddVerb = void (*)(CLI::App&, Context&);

// In the order of `slipway --help`.
constexpr AddVerb kVerbs[] = {
    add_inspect,        add_convert, add_infer, add_profile,       add_bench,          add_quantize,
    add_compile,        add_demucs,  add_drone, add_face_det_lite, add_mediapipe_face, add_mediapipe_hand,
    add_mediapipe_pose, add_samurai, add_serve, add_token,         add_doctor,         add_completion,
};

}  // namespace

void add_verbs(CLI::App& app, Context& context) {
  for (const AddVerb add : kVerbs) add(app, context);
  add_examples(app);
}

}  // namespace slipway::cli
