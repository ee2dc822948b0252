#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>

#include "base/error.hpp"
#include "media/video_file.hpp"

namespace slipway::media {

/// What a camera is asked for; it answers with the nearest that it has.
struct CameraOptions {
  int width = 640;
  int height = 480;
};

/// Frames of a Video4Linux camera, e.g. /dev/video0, as RGB; libv4l converts what the camera gives (YUYV, MJPEG …).
/// The driver has room for a few; reading it all the time (pipelines::NewestFrame) keeps them new.
/// @thread one object belongs to one thread
class Camera {
 public:
  /// @error kNotFound: no such device; kPermissionDenied; kInvalidArgument: not a camera that captures images
  [[nodiscard]] static base::Result<Camera> open(const std::filesystem::path& device,
                                                 const CameraOptions& options = {});
  ~Camera();
  Camera(Camera&&) noexcept;
  Camera& operator=(Camera&&) noexcept;

  [[nodiscard]] const VideoInfo& info() const;

  /// Waits up to five seconds for the next frame; its time is when it arrived, from the first on.
  /// @error kUnavailable: the camera was pulled out, or is silent
  [[nodiscard]] base::Result<void> next(VideoFrame& frame, const std::stop_token& stop = {});

 private:
  struct State;
  explicit Camera(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// True for a character device: what Camera::open is meant for.
[[nodiscard]] bool is_camera_path(const std::filesystem::path& path);

}  // namespace slipway::media
