#!/usr/bin/env bash
# Installs what the build, the tests and the demo need: `tools/setup.sh [system] [onnxruntime] [python] [assets] [clang] [torch] [torch-newest] [exports] [openvino] [mediapipe] [mediapipe-networks] [peers] [samurai]`.
# Nothing is written outside .deps/, .cache/ and the package manager. Each step is skipped when its stamp is current.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/versions.env
deps=$PWD/.deps
cache=$PWD/.cache
mkdir -p "$deps" "$cache"
python=${SLIPWAY_PYTHON:-/usr/bin/python3}

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
# stamp NAME CONTENT: true when the step was done with the same content before.
current() { [ -f "$deps/$1.stamp" ] && [ "$(cat "$deps/$1.stamp")" = "$2" ]; }
stamp() { printf '%s' "$2" > "$deps/$1.stamp"; }

packages="g++ cmake ninja-build ccache mold pkg-config git ca-certificates curl gpgv xz-utils unzip
  debian-archive-keyring python3 python3-venv bubblewrap
  libboost1.81-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libcli11-dev libyaml-cpp-dev libsqlite3-dev libsqlitecpp-dev libssl-dev
  libprotobuf-dev protobuf-compiler libcurl4-openssl-dev libarchive-dev zlib1g-dev libhdf5-dev libseccomp-dev
  libavformat-dev libavcodec-dev libswscale-dev libswresample-dev libavutil-dev libturbojpeg0-dev libwebp-dev libsndfile1-dev libsoxr-dev libv4l-dev
  libfreetype-dev fonts-dejavu-core
  libgtest-dev libgmock-dev libbenchmark-dev"
clang_packages="clang-16 libclang-rt-16-dev clang-format-16 clang-tidy-16"

install_packages() {
  local missing
  missing=$(for p in $1; do dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p"; done)
  [ -z "$missing" ] && return
  say "installing system packages:" $missing
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}

# The mirror that this machine's own apt uses for Debian.
debian_mirror() {
  apt-get indextargets --format '$(SITE) $(ORIGIN) $(SUITE)' 'Created-By: Packages' 2>/dev/null |
    awk '$2 == "Debian" && $1 !~ /security/ { print $1; exit }'
}

# Headers of ONNX Runtime: the package named by the suite's signed index, checked link by link.
fetch_headers() {
  local mirror suite work line path sha
  mirror=$(debian_mirror); suite=$ONNXRUNTIME_HEADERS_SUITE; work=$cache/headers
  [ -n "$mirror" ] || { echo "no Debian mirror in apt's sources: set ONNXRUNTIME_ROOT to an ONNX Runtime release" >&2; exit 3; }
  mkdir -p "$work"
  curl -fsSL --retry 3 -o "$work/InRelease" "$mirror/dists/$suite/InRelease"
  gpgv --keyring /usr/share/keyrings/debian-archive-keyring.gpg --output "$work/Release" "$work/InRelease" 2> "$work/gpgv.log" ||
    grep -q 'Good signature' "$work/gpgv.log" || { echo "the signature of the $suite index is not Debian's:" >&2; cat "$work/gpgv.log" >&2; exit 1; }
  [ -s "$work/Release" ] || { echo "gpgv wrote no verified index for $suite" >&2; exit 1; }
  sha=$(awk '/^SHA256:/ {on = 1; next} /^[^ ]/ {on = 0} on && $3 == "main/binary-amd64/Packages.xz" {print $1}' "$work/Release")
  curl -fsSL --retry 3 -o "$work/Packages.xz" "$mirror/dists/$suite/main/binary-amd64/Packages.xz"
  echo "$sha  $work/Packages.xz" | sha256sum -c --quiet
  line=$(xz -dc "$work/Packages.xz" | awk -v RS= '/^Package: libonnxruntime-dev\n/' |
    awk '/^Version:/ {v = $2} /^Filename:/ {f = $2} /^SHA256:/ {s = $2} END {print v, f, s}')
  read -r version path sha <<< "$line"
  dpkg --compare-versions "$version" ge "$ONNXRUNTIME_HEADERS_MINIMUM" ||
    { echo "libonnxruntime-dev $version is older than $ONNXRUNTIME_HEADERS_MINIMUM" >&2; exit 1; }
  curl -fsSL --retry 3 -o "$work/headers.deb" "$mirror/$path"
  echo "$sha  $work/headers.deb" | sha256sum -c --quiet
  rm -rf "$work/tree" && dpkg -x "$work/headers.deb" "$work/tree"
  rm -rf "$deps/onnxruntime/include" && mkdir -p "$deps/onnxruntime"
  cp -r "$work/tree/usr/include/onnxruntime" "$deps/onnxruntime/include"
  printf 'libonnxruntime-dev %s sha256 %s\n' "$version" "$sha" > "$deps/onnxruntime/headers.txt"
}

# The wheels' libraries. pip checks each against the hashes in requirements-runtime.txt.
fetch_libraries() {
  local wheels=$cache/wheels root=$deps/onnxruntime
  mkdir -p "$wheels" "$root/lib"
  "$deps/venv/bin/pip" download -q --no-deps --require-hashes -d "$wheels" -r python/requirements-runtime.txt
  rm -rf "$cache/unpacked" && mkdir -p "$cache/unpacked"
  unzip -q -o "$wheels"/onnxruntime-"$ONNXRUNTIME_VERSION"-*.whl 'onnxruntime/capi/lib*' -d "$cache/unpacked"
  cp "$cache"/unpacked/onnxruntime/capi/libonnxruntime.so."$ONNXRUNTIME_VERSION" \
     "$cache"/unpacked/onnxruntime/capi/libonnxruntime_providers_shared.so "$root/lib/"
  ln -sf libonnxruntime.so."$ONNXRUNTIME_VERSION" "$root/lib/libonnxruntime.so.1"
  ln -sf libonnxruntime.so.1 "$root/lib/libonnxruntime.so"
  # Both folders stay siblings: the plug-in finds its libc++ through $ORIGIN/../onnxruntime_qnn.libs.
  rm -rf "$root/onnxruntime_qnn" "$root/onnxruntime_qnn.libs"
  unzip -q -o "$wheels"/onnxruntime_qnn-"$ONNXRUNTIME_QNN_VERSION"-*.whl -d "$root"
  rm -rf "$cache/unpacked"
}

step_system() { install_packages "$packages"; }

step_clang() { install_packages "$clang_packages"; }

step_python() {
  local key; key=$(cat python/requirements.txt | sha256sum)
  current python "$key" && return
  say "making the Python environment (official client, test tools)"
  "$python" -m venv "$deps/venv"
  "$deps/venv/bin/pip" install -q --require-hashes -r python/requirements.txt
  stamp python "$key"
}

step_onnxruntime() {
  local key; key="$(cat tools/versions.env python/requirements-runtime.txt | sha256sum)"
  current onnxruntime "$key" && return
  say "fetching ONNX Runtime $ONNXRUNTIME_VERSION, its QNN plug-in $ONNXRUNTIME_QNN_VERSION and headers"
  if [ -z "${ONNXRUNTIME_ROOT:-}" ] && [ ! -e /usr/include/onnxruntime/onnxruntime_cxx_api.h ]; then fetch_headers; fi
  fetch_libraries
  stamp onnxruntime "$key"
}

# The demo's model and photograph, out of the packages that carry them.
step_assets() {
  local key; key="$(sha256sum < python/requirements-assets.txt) faces hands poses"
  current assets "$key" && return
  say "fetching the demo's model and photograph"
  local wheels=$cache/wheels assets=$deps/assets
  mkdir -p "$wheels" "$assets"
  "$deps/venv/bin/pip" download -q --no-deps --require-hashes -d "$wheels" -r python/requirements-assets.txt
  unzip -q -o -j "$wheels"/mediapipe-*.whl 'mediapipe/modules/face_detection/*.tflite' 'mediapipe/modules/hand_landmark/*.tflite' \
    'mediapipe/modules/palm_detection/*.tflite' 'mediapipe/modules/pose_*/*.tflite' \
    'mediapipe/modules/face_landmark/face_landmark.tflite' -d "$assets"
  unzip -q -o -j "$wheels"/scikit_image-*.whl skimage/data/astronaut.png -d "$assets"
  stamp assets "$key"
}

# PyTorch and the packages whose models the exporters read: several gigabytes; tests that need them are skipped without.
step_torch() {
  local key; key=$(sha256sum < python/requirements-torch.txt)
  current torch "$key" && return
  say "making the environment of the PyTorch exporters (.deps/venv-torch)"
  "$python" -m venv "$deps/venv-torch"
  "$deps/venv-torch/bin/pip" install -q --require-hashes -r python/requirements-torch.txt
  stamp torch "$key"
}

# The newest PyTorch, beside the one that the official exports ask for.
step_torch-newest() {
  local key; key=$(sha256sum < python/requirements-torch-newest.txt)
  current torch-newest "$key" && return
  say "making the environment of the newest PyTorch (.deps/venv-torch-newest)"
  "$python" -m venv "$deps/venv-torch-newest"
  "$deps/venv-torch-newest/bin/pip" install -q --require-hashes -r python/requirements-torch-newest.txt
  stamp torch-newest "$key"
}

# The official exports of qai-hub-models, with the releases of PyTorch and NumPy that they ask for. The list is whole, so
# nothing is resolved anew: pip of this age refuses hashes of packages that others want with extras.
step_exports() {
  local key; key=$(sha256sum < python/requirements-exports.txt)
  current exports "$key" && return
  say "making the environment of the official exports (.deps/venv-exports)"
  "$python" -m venv "$deps/venv-exports"
  "$deps/venv-exports/bin/pip" install -q --no-deps --require-hashes -r python/requirements-exports.txt
  stamp exports "$key"
}

# Another build of ONNX Runtime, with the OpenVINO provider inside: bfloat16 on CPUs. A process opens one build or the other.
step_openvino() {
  local key; key=$(sha256sum < python/requirements-openvino.txt)
  current openvino "$key" && return
  say "fetching ONNX Runtime with the OpenVINO provider (.deps/openvino)"
  local wheels=$cache/wheels work=$cache/openvino lib=$deps/openvino/lib library
  mkdir -p "$wheels"
  "$deps/venv/bin/pip" download -q --no-deps --require-hashes -d "$wheels" -r python/requirements-openvino.txt
  rm -rf "$work" && mkdir -p "$work"
  # One name a library, the one that the others ask for; the plug-ins of devices that are not asked for stay out.
  unzip -q -o -j "$wheels"/onnxruntime_openvino-*.whl 'onnxruntime/capi/lib*' -d "$work" \
    -x '*/libopenvino_intel_[gn]pu_plugin.so' '*/lib*.so.20*' '*/libopenvino.so' '*/libopenvino_c.so' '*/libopenvino_onnx_frontend.so' '*/libtbb.so'
  library=$(basename "$work"/libonnxruntime.so.*)
  ln -sf "$library" "$work/libonnxruntime.so.1"
  rm -rf "$lib" && mkdir -p "$lib" && mv "$work"/* "$lib/" && rmdir "$work"
  stamp openvino "$key"
}

# The peer of the face benchmark, by itself: it needs an older NumPy than everything else.
step_mediapipe() {
  local key; key=$(sha256sum < python/requirements-mediapipe.txt)
  current mediapipe "$key" && return
  say "making the environment of the mediapipe package (.deps/venv-mediapipe)"
  "$python" -m venv "$deps/venv-mediapipe"
  "$deps/venv-mediapipe/bin/pip" install -q --require-hashes -r python/requirements-mediapipe.txt
  stamp mediapipe "$key"
}

# The libraries that the benchmarks run networks in, beside ours: OpenVINO with its benchmark_app, ncnn with pnnx, LiteRT, OpenCV.
step_peers() {
  local key; key=$(sha256sum < python/requirements-peers.txt)
  current peers "$key" && return
  say "making the environment of the benchmarks' peers (.deps/venv-peers)"
  "$python" -m venv "$deps/venv-peers"
  "$deps/venv-peers/bin/pip" install -q --no-deps --require-hashes -r python/requirements-peers.txt
  stamp peers "$key"
}

# The landmark networks that the wheel lacks, from npm: poses lite and heavy, hands in another container. 54 MB, for the acceptance
# suite alone.
step_mediapipe-networks() {
  local key; key=$(sha256sum < tools/npm-packages.txt)
  current mediapipe-networks "$key" && return
  say "fetching MediaPipe's networks from npm (.deps/mediapipe-networks)"
  command -v npm > /dev/null || { echo "npm is missing: apt-get install npm" >&2; exit 1; }
  local networks=$deps/mediapipe-networks archives=$cache/npm archive package sum
  mkdir -p "$networks" "$archives"
  while read -r package sum; do
    archive=$archives/$(cd "$archives" && npm pack --silent "$package" < /dev/null)
    echo "$sum  $archive" | sha256sum --check --quiet
    tar xzf "$archive" -C "$networks" --strip-components=1 --wildcards 'package/*.tflite'
    rm "$archive"
  done < tools/npm-packages.txt
  stamp mediapipe-networks "$key"
}

# SAMURAI's own package and what it imports, beside PyTorch's environment: only its acceptance suite looks there. Of the package
# itself the sources are taken; building it would look for CUDA.
step_samurai() {
  step_torch
  local key; key=$(sha256sum < python/requirements-samurai.txt)
  current samurai "$key" && return
  say "fetching SAMURAI's own package (.deps/original-samurai)"
  local wheels=$cache/wheels site=$deps/original-samurai pip=$deps/venv-torch/bin/pip
  mkdir -p "$wheels"
  "$pip" download -q --no-deps --no-build-isolation --require-hashes -d "$wheels" -r python/requirements-samurai.txt
  rm -rf "$site" && mkdir -p "$site"
  grep -v '^absolutely' python/requirements-samurai.txt | grep -o '^[a-z0-9-]*==[^ ]*' > "$cache/samurai.txt"
  "$pip" install -q --no-deps --no-build-isolation --no-index --find-links "$wheels" --target "$site" -r "$cache/samurai.txt"
  tar -xzf "$wheels"/absolutely_not_samurai-*.tar.gz -C "$site" --strip-components=1 --wildcards '*/sam2/*'
  stamp samurai "$key"
}

for step in "${@:-system}"; do
  case $step in
    system | python | onnxruntime | assets | clang | torch | torch-newest | exports | openvino | mediapipe | mediapipe-networks | peers | samurai) "step_$step" ;;
    *) echo "unknown step $step: system, python, onnxruntime, assets, clang, torch, torch-newest, exports, openvino, mediapipe, mediapipe-networks, peers or samurai" >&2; exit 2 ;;
  esac
done
