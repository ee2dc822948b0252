#include "apps/cli/examples.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace slipway::cli {
namespace {

constexpr auto kExamples = std::to_array<VerbExamples>({
    {"inspect",
     {{{"inputs, outputs and operators", "slipway inspect face.onnx"},
       {"one graph of a model folder, as JSON", "slipway inspect models/face --graph landmark --json"},
       {"a PyTorch archive as it is", "slipway inspect resnet18.pt2 --json-file resnet18.json"}}}},
    {"convert",
     {{{"an archive of torch.export", "slipway convert resnet18.pt2 -o resnet18.onnx"},
       {"a traced model, which does not say its inputs",
        "slipway convert net.pt -o net.onnx --input-spec image=1x3x224x224:float32"},
       {"which ATen operators are taken", "slipway convert --operators"}}}},
    {"infer",
     {{{"arrays in, arrays out", "slipway infer face.onnx -i in.npz -o out.npz"},
       {"random inputs, the same ones for the same seed", "slipway infer face.onnx --random 1 -o out.npz --json"},
       {"on Qualcomm's NPU, for an SM8650",
        "slipway infer face.onnx --random 1 -o out.npz --provider qnn --soc 57 --htp-arch 75 "
        "--provider-option enable_htp_fp16_precision=1"}}}},
    {"profile",
     {{{"load, inference, memory and the slowest layers", "slipway profile face.onnx"},
       {"on inputs of your own, with a trace", "slipway profile face.onnx -i in.npz --trace trace.json"},
       {"everything that was measured, for a program", "slipway profile face.onnx -n 1000 --threads 2 --json"}}}},
    {"bench",
     {{{"statistics of inference", "slipway bench face.onnx"},
       {"just so many runs, on two threads", "slipway bench face.onnx -n 200 --all-iterations --threads 2"},
       {"through OpenVINO in bfloat16, for a script",
        "slipway bench face.onnx --provider openvino --precision bf16 --json"}}}},
    {"quantize",
     {{{"8 bits, from samples of what the model is given",
        "slipway quantize face.onnx --calibration samples.npz -o face_w8a8.onnx"},
       {"activations of 16 bits, ranges of the least error",
        "slipway quantize face.onnx --calibration samples.h5 --activations uint16 --range-scheme mse_minimizer "
        "-o face_w8a16.onnx"},
       {"with nodes in float, and the encoding of every tensor",
        "slipway quantize yolo.onnx --calibration samples --exclude-operators Softmax -o yolo_w8a8.onnx "
        "--json-file report.json"}}}},
    {"compile",
     {{{"for a phone's NPU, compared with its source",
        "slipway compile face.onnx --target qnn_dlc --device \"Samsung Galaxy S24\" -o face.dlc"},
       {"the optimised graph alone", "slipway compile face.onnx -o face_compiled.onnx"},
       {"with sizes, names and layout of your own",
        "slipway compile net.pt --input-spec image=1x3x224x224:float32 --output-names scores "
        "--channel-last-input image -o compiled"}}}},
    {"demucs",
     {{{"drums, bass, other and vocals", "slipway demucs song.mp3 -m htdemucs -o stems"},
       {"karaoke: vocals and all the rest, as FLAC",
        "slipway demucs song.mp3 -m htdemucs -o stems --two-stems vocals --format flac"},
       {"slower and better, with pictures of the stems",
        "slipway demucs song.wav -m htdemucs -o stems --shifts 4 --seed 1 --plot"}}}},
    {"demucs preprocess",
     {{{"chunks as the model takes them", "slipway demucs preprocess song.mp3 -m htdemucs -o chunks"},
       {"chunks of one second", "slipway demucs preprocess song.mp3 --segment-samples 44100 -o chunks"},
       {"of a stream", "slipway demucs preprocess - -m htdemucs -o chunks --json"}}}},
    {"demucs postprocess",
     {{{"stems from what the network gave", "slipway demucs postprocess chunks --raw-file add_67.raw -o stems"},
       {"with the spectrogram branch apart",
        "slipway demucs postprocess chunks --raw-file add_67.raw --spectrogram-file output.raw -o stems"},
       {"vocals and the rest, in 16 bits",
        "slipway demucs postprocess chunks --raw-file add_67.raw -o stems --two-stems vocals --bits 16"}}}},
    {"drone",
     {{{"objects, surfaces and the free way, drawn over a video",
        "slipway drone flight.mp4 -m yolov8n.onnx --segmenter ffnet_40s -o seen.mp4"},
       {"people and cars of a folder of pictures, a line each",
        "slipway drone pictures -m yolov8n.onnx --classes person,car --json"},
       {"detection on the NPU, segmentation on the CPU, 40 ms a frame",
        "slipway drone /dev/video0 -m yolov8n.onnx --segmenter ffnet_40s --provider detector=qnn,segmenter=cpu "
        "--soc 57 --htp-arch 75 --budget-ms 40"}}}},
    {"face-det-lite",
     {{{"faces of a picture, drawn over it", "slipway face-det-lite face_det_lite.onnx party.jpg -o seen.png"},
       {"a folder and a video, eight at a time",
        "slipway face-det-lite -m face_det_lite.onnx pictures a.mp4 --batch 8"},
       {"a picture from one program to the next",
        "slipway face-det-lite -m face_det_lite.onnx - -o seen.jpg --json --score-min 0.7"}}}},
    {"mediapipe-face",
     {{{"468 landmarks, drawn over a picture", "slipway mediapipe-face models/face party.jpg -o seen.png"},
       {"two faces followed through a video", "slipway mediapipe-face -m models/face talk.mp4 --max-faces 2 --json"},
       {"boxes and key points alone", "slipway mediapipe-face -m short_range.onnx pictures --detector-only -o seen"}}}},
    {"mediapipe-hand",
     {{{"21 landmarks a hand, drawn over a video", "slipway mediapipe-hand models/hand wave.mp4 -o seen.mp4"},
       {"of a camera, as JSON", "slipway mediapipe-hand -m models/hand /dev/video0 --max-hands 2 --json"},
       {"each frame by itself", "slipway mediapipe-hand -m models/hand wave.mp4 --still --batch 4"}}}},
    {"mediapipe-pose",
     {{{"33 landmarks, drawn over a video", "slipway mediapipe-pose models/pose run.mp4 -o seen.mp4"},
       {"landmarks as the network finds them", "slipway mediapipe-pose -m models/pose run.mp4 --no-smooth --json"},
       {"how long each stage takes", "slipway mediapipe-pose -m models/pose run.jpg --bench 50"}}}},
    {"samurai",
     {{{"what is in the box, followed and drawn over the video",
        "slipway samurai dog.mp4 -m sam2.1-tiny --box 450,380,252,168 -o tracked.mp4"},
       {"masks as pictures, a line of JSON a frame",
        "slipway samurai dog.mp4 -m sam2.1-tiny --point 570,460,1 --masks masks --json"},
       {"found by itself: the best person",
        "slipway samurai walk.mp4 -m sam2.1-tiny --detect person --detector yolov8n.onnx -o tracked.mp4"}}}},
    {"samurai replay",
     {{{"what the rules make of a trace", "slipway samurai replay trace.json"},
       {"with another weight of motion", "slipway samurai replay trace.json --motion-weight 0.15 --json"},
       {"of a stream, into a file", "slipway samurai replay - --quiet --json-file decisions.jsonl"}}}},
    {"samurai validate",
     {{{"logits, masks and boxes beside PyTorch's",
        "slipway samurai validate frames -m sam2.1-tiny --box 450,380,252,168 --reference logits.npz"},
       {"each component by itself as well",
        "slipway samurai validate frames -m sam2.1-tiny --box 450,380,252,168 --reference logits.npz "
        "--components parts.npz"},
       {"looser, for bfloat16",
        "slipway samurai validate frames -m sam2.1-tiny --box 450,380,252,168 --reference logits.npz "
        "--provider openvino --precision bf16 --logits-max 0.1 --json"}}}},
    {"serve",
     {{{"a hub for the qai-hub client, on this machine", "slipway serve --data hub"},
       {"for others, behind a proxy",
        "slipway serve --data hub --listen 0.0.0.0:8400 --public-url https://hub.example"},
       {"on a free port, for a program", "slipway serve --data hub --listen 127.0.0.1:0 --json"}}}},
    {"doctor",
     {{{"what this machine can do", "slipway doctor"},
       {"the same for a program", "slipway doctor --json"},
       {"whether the NPU's compiler behaves as it did", "slipway doctor --npu-probes --npu-only Cast"}}}},
    {"completion",
     {{{"for this shell", "source <(slipway completion bash)"},
       {"for zsh", "source <(slipway completion zsh)"},
       {"for fish", "slipway completion fish | source"}}}},
});

}  // namespace

std::span<const VerbExamples> examples() {
  return kExamples;
}

void add_examples(CLI::App& app) {
  for (const VerbExamples& of_verb : kExamples) {
    CLI::App* verb = &app;
    std::string_view rest = of_verb.verb;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(' '), rest.size());
      verb = verb->get_subcommand(std::string(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    std::string text = verb->get_footer();
    text += fmt::format("{}Examples:\n", text.empty() ? "" : "\n\n");
    for (const Example& example : of_verb.examples) {
      text += fmt::format("  # {}\n  {}\n", example.what, example.command);
    }
    text.pop_back();
    verb->footer(std::move(text));
  }
}

}  // namespace slipway::cli
