#!/usr/bin/env bash
# What the preset linux-aarch64 builds with: `tools/setup_aarch64.sh`, after tools/setup.sh has run once.
# The cross compiler and qemu's user emulation come from the package manager; the board's libraries are Debian's own
# arm64 packages, unpacked into .deps/aarch64/sysroot by an apt of its own (its signatures are checked as ever), so the
# machine's package database stays as it is. ONNX Runtime and the QNN plug-in are the aarch64 wheels.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/versions.env
root=$PWD/.deps/aarch64
cache=$PWD/.cache/aarch64
tools="g++-aarch64-linux-gnu qemu-user-static"
libraries="libc6-dev libstdc++-12-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libcli11-dev libyaml-cpp-dev libssl-dev
  libprotobuf-dev libcurl4-openssl-dev libarchive-dev libhdf5-dev libseccomp-dev libavformat-dev libavcodec-dev
  libswscale-dev libswresample-dev libavutil-dev libturbojpeg0-dev libwebp-dev libsndfile1-dev libsoxr-dev libv4l-dev libfreetype-dev fonts-dejavu-core
  libgtest-dev libgmock-dev"

key=$(cat tools/setup_aarch64.sh tools/versions.env python/requirements-runtime.txt | sha256sum)
[ -f "$root/stamp" ] && [ "$(cat "$root/stamp")" = "$key" ] && exit 0

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

say "installing the cross compiler and qemu-user: $tools"
as_root apt-get update -q
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $tools

say "fetching Debian's arm64 libraries"
apt=$cache/apt
mkdir -p "$apt"/state/lists/partial "$apt"/cache/archives/partial "$root"
: > "$apt/state/status"
private_apt() {
  apt-get -q -o Dir::State="$apt/state" -o Dir::State::status="$apt/state/status" -o Dir::Cache="$apt/cache" \
    -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Install-Recommends=false \
    -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 "$@"
}
private_apt update
rm -f "$apt"/cache/archives/*.deb
private_apt install -y --download-only $libraries
rm -rf "$root/sysroot" && mkdir -p "$root/sysroot/usr/lib"
ln -s usr/lib "$root/sysroot/lib"  # Debian's merged /usr
for package in "$apt"/cache/archives/*.deb; do dpkg --fsys-tarfile "$package" | tar -x -C "$root/sysroot" --keep-directory-symlink; done
# Links to /… would leave the sysroot.
find "$root/sysroot" -type l -lname '/*' | while read -r link; do
  ln -sfn "$(realpath -m --relative-to "$(dirname "$link")" "$root/sysroot$(readlink "$link")")" "$link"
done
# qemu shows programs the /proc/cpuinfo of this machine, on which ONNX Runtime for aarch64 crashes: a board's, for qemu -L.
mkdir -p "$root/sysroot/proc"
for processor in 0 1; do
  printf '%s\t: %s\n' processor $processor Features 'fp asimd crc32 cpuid' 'CPU implementer' 0x41 'CPU architecture' 8 \
    'CPU variant' 0x0 'CPU part' 0xd08 'CPU revision' 3
  echo
done > "$root/sysroot/proc/cpuinfo"

say "fetching ONNX Runtime $ONNXRUNTIME_VERSION and the QNN plug-in $ONNXRUNTIME_QNN_VERSION for aarch64"
wheels=$cache/wheels
runtime=$root/onnxruntime
rm -rf "$wheels" "$runtime" && mkdir -p "$wheels" "$runtime/lib"
.deps/venv/bin/pip download -q --no-deps --require-hashes --only-binary :all: --python-version 3.11 \
  --platform manylinux_2_28_aarch64 --platform manylinux_2_34_aarch64 -d "$wheels" -r python/requirements-runtime.txt
unzip -q -o -j "$wheels"/onnxruntime-"$ONNXRUNTIME_VERSION"-*.whl 'onnxruntime/capi/libonnxruntime.so.*' \
  onnxruntime/capi/libonnxruntime_providers_shared.so -d "$runtime/lib"
ln -sf libonnxruntime.so."$ONNXRUNTIME_VERSION" "$runtime/lib/libonnxruntime.so.1"
unzip -q -o "$wheels"/onnxruntime_qnn-"$ONNXRUNTIME_QNN_VERSION"-*.whl -d "$runtime"
printf '%s' "$key" > "$root/stamp"
