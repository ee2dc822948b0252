#include "media/camera.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <libv4l2.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>

#include "base/descriptor.hpp"

namespace slipway::media {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kSilence{5000}, kPatience{50};

int request(int descriptor, unsigned long what, void* argument) {
  int status = 0;
  do status = v4l2_ioctl(descriptor, what, argument);
  while (status < 0 && errno == EINTR);
  return status;
}

base::Code code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return base::Code::kNotFound;
    case EACCES:
    case EPERM:
      return base::Code::kPermissionDenied;
    case EBUSY:
      return base::Code::kUnavailable;
    default:
      return base::Code::kInvalidArgument;
  }
}

std::string cameras_here() {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/dev", error)) {
    if (entry.path().filename().string().starts_with("video")) found.push_back(entry.path().string());
  }
  std::ranges::sort(found);
  if (found.empty()) return "this machine has no /dev/video…: is the camera plugged in, and its driver loaded?";
  return fmt::format("this machine has {}", fmt::join(found, ", "));
}

std::string way_out(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return "the group `video` usually may: `sudo usermod -aG video $USER`, then log in again";
    case EBUSY:
      return "another program is using it";
    default:
      return cameras_here();
  }
}

}  // namespace

struct Camera::State {
  std::string name;
  base::Descriptor device;
  int descriptor = -1;  // the same as libv4l has it, which closes it
  VideoInfo info;
  std::size_t stride = 0;
  std::vector<std::uint8_t> pixels;
  std::int64_t next_index = 0;
  Clock::time_point first;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (descriptor >= 0) v4l2_close(descriptor);
  }
};

Camera::Camera(std::unique_ptr<State> state) : state_(std::move(state)) {}
Camera::~Camera() = default;
Camera::Camera(Camera&&) noexcept = default;
Camera& Camera::operator=(Camera&&) noexcept = default;

bool is_camera_path(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_character_file(path, error);
}

base::Result<Camera> Camera::open(const std::filesystem::path& device, const CameraOptions& options) {
  auto state = std::make_unique<State>();
  state->name = device.string();
  state->device = base::Descriptor(::open(device.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!state->device.is_open()) {
    const int error = errno;
    return base::fail(code_of(error), "{}: cannot be opened as a camera: {}; {}", state->name, std::strerror(error),
                      way_out(error));
  }
  // Asked of the system itself: libv4l would print to standard error what is no camera.
  v4l2_capability capability{};
  if (ioctl(state->device.get(), VIDIOC_QUERYCAP, &capability) < 0) {
    return base::fail(base::Code::kInvalidArgument,
                      "{}: expected a Video4Linux camera such as /dev/video0, found another device; {}", state->name,
                      cameras_here());
  }
  if (v4l2_fd_open(state->device.get(), 0) < 0) {
    return base::fail(base::Code::kInvalidArgument, "{}: libv4l does not take this camera: {}", state->name,
                      std::strerror(errno));
  }
  state->descriptor = state->device.release();
  const auto abilities =
      (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? capability.device_caps : capability.capabilities;
  if ((abilities & V4L2_CAP_VIDEO_CAPTURE) == 0) {
    return base::fail(base::Code::kInvalidArgument,
                      "{}: this Video4Linux device gives no pictures; `v4l2-ctl --list-devices` names those that do",
                      state->name);
  }
  v4l2_format format{};
  format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  format.fmt.pix.width = static_cast<std::uint32_t>(options.width);
  format.fmt.pix.height = static_cast<std::uint32_t>(options.height);
  format.fmt.pix.pixelformat = V4L2_PIX_FMT_RGB24;
  format.fmt.pix.field = V4L2_FIELD_ANY;
  if (request(state->descriptor, VIDIOC_S_FMT, &format) < 0 || format.fmt.pix.pixelformat != V4L2_PIX_FMT_RGB24) {
    return base::fail(base::Code::kInvalidArgument, "{}: neither the camera nor libv4l makes RGB of its pictures",
                      state->name);
  }
  state->info.width = static_cast<int>(format.fmt.pix.width);
  state->info.height = static_cast<int>(format.fmt.pix.height);
  state->info.codec = "v4l2";
  state->stride = std::max<std::size_t>(format.fmt.pix.bytesperline, std::size_t{3} * format.fmt.pix.width);
  state->pixels.resize(std::max<std::size_t>(format.fmt.pix.sizeimage, state->stride * format.fmt.pix.height));
  v4l2_streamparm rate{};
  rate.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  if (request(state->descriptor, VIDIOC_G_PARM, &rate) == 0 && rate.parm.capture.timeperframe.numerator > 0) {
    state->info.rate_numerator = static_cast<int>(rate.parm.capture.timeperframe.denominator);
    state->info.rate_denominator = static_cast<int>(rate.parm.capture.timeperframe.numerator);
  }
  return Camera(std::move(state));
}

const VideoInfo& Camera::info() const {
  return state_->info;
}

base::Result<void> Camera::next(VideoFrame& frame, const std::stop_token& stop) {
  State& state = *state_;
  const Clock::time_point deadline = Clock::now() + kSilence;
  const std::size_t wanted = state.stride * static_cast<std::size_t>(state.info.height);
  for (;;) {
    const ssize_t got = v4l2_read(state.descriptor, state.pixels.data(), state.pixels.size());
    if (got >= static_cast<ssize_t>(wanted)) break;
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
      return base::fail(base::Code::kUnavailable, "{}: the camera gives no more frames: {}", state.name,
                        std::strerror(errno));
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (stop.stop_requested()) return base::fail(base::Code::kCancelled, "{}: stopped", state.name);
    if (left.count() <= 0) {
      return base::fail(base::Code::kUnavailable, "{}: no frame within {} s; is another program using the camera?",
                        state.name, std::chrono::duration_cast<std::chrono::seconds>(kSilence).count());
    }
    pollfd ready{.fd = state.descriptor, .events = POLLIN, .revents = 0};
    poll(&ready, 1, static_cast<int>(std::min(left, kPatience).count()));
  }
  const Clock::time_point now = Clock::now();
  if (state.next_index == 0) state.first = now;
  SLIPWAY_TRY(frame.image.resize(state.info.width, state.info.height));
  for (int y = 0; y < state.info.height; ++y) {
    std::memcpy(frame.image.row(y), state.pixels.data() + static_cast<std::size_t>(y) * state.stride,
                std::size_t{3} * static_cast<std::size_t>(state.info.width));
  }
  frame.index = state.next_index++;
  frame.time_s = std::chrono::duration<double>(now - state.first).count();
  return {};
}

}  // namespace slipway::media
