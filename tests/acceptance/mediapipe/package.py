"""The `mediapipe` package itself on images: `package.py KIND COMPLEXITY NETWORKS OUTPUT.json PICTURE...`.

Runs in the environment that `tools/setup.sh mediapipe` makes, where nothing of ours is imported. The wheel lacks the lite and
heavy pose networks and would fetch them from its maker; here they lie in the folder NETWORKS, and the package runs over links to
itself in which they are in their place. OUTPUT.json: for every image a list of hands or poses.
"""

import json
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("GLOG_minloglevel", "3")


def linked_package(networks: pathlib.Path, folder: pathlib.Path) -> None:
    """folder/mediapipe as the installed one, with the networks among its modules."""
    import importlib.util
    installed = pathlib.Path(importlib.util.find_spec("mediapipe").submodule_search_locations[0])
    target = folder / "mediapipe"
    (folder / "mediapipe.libs").symlink_to(installed.with_name("mediapipe.libs"))
    for path in installed.rglob("*"):
        place = target / path.relative_to(installed)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif "__pycache__" not in path.parts:
            place.parent.mkdir(parents=True, exist_ok=True)
            # What it takes its own folder from must lie here; what is large may lie there.
            if path.suffix == ".py":
                place.write_bytes(path.read_bytes())
            else:
                place.symlink_to(path)
    for network in [*networks.glob("hand_landmark_*.tflite"), *networks.glob("pose_landmark_*.tflite")]:
        place = target / "modules" / network.stem.rpartition("_")[0] / network.name
        place.unlink(missing_ok=True)
        place.symlink_to(network.resolve())
    sys.path.insert(0, str(folder))


def hands_of(result, width: int, height: int) -> list[dict]:
    rows = zip(result.multi_hand_landmarks or [], result.multi_hand_world_landmarks or [], result.multi_handedness or [], strict=True)
    return [{"landmarks": [[p.x * width, p.y * height, p.z * width] for p in points.landmark],
             "world_landmarks": [[p.x, p.y, p.z] for p in world.landmark],
             "handedness": side.classification[0].label.lower(), "score": side.classification[0].score} for points, world, side in rows]


def poses_of(result, width: int, height: int) -> list[dict]:
    if result.pose_landmarks is None:
        return []
    points, world = result.pose_landmarks.landmark, result.pose_world_landmarks.landmark
    return [{"landmarks": [[p.x * width, p.y * height, p.z * width] for p in points], "visibility": [p.visibility for p in points],
             "world_landmarks": [[p.x, p.y, p.z] for p in world]}]


def main() -> int:
    kind, complexity, networks, output, *paths = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        linked_package(pathlib.Path(networks), pathlib.Path(folder))
        import cv2
        from mediapipe.python.solutions import hands, pose
        rows = []
        for path in paths:
            image = cv2.cvtColor(cv2.imread(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            height, width = image.shape[:2]
            if kind == "hand":
                with hands.Hands(static_image_mode=True, max_num_hands=4, model_complexity=int(complexity)) as solution:
                    rows.append(hands_of(solution.process(image), width, height))
            else:
                with pose.Pose(static_image_mode=True, model_complexity=int(complexity)) as solution:
                    rows.append(poses_of(solution.process(image), width, height))
        pathlib.Path(output).write_text(json.dumps(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
