#include <gtest/gtest.h>

#include "pipelines/mediapipe_face/face.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

using mediapipe::Detection;

mediapipe::Region region_of(const Detection& detection) {
  return face_region(detection, Rules::kMediapipe);
}

/// A tracker as the pipeline of faces uses it.
class FaceTracker {
 public:
  FaceTracker(std::size_t most, bool smooth) : tracker_(most), smooth_(smooth) {}
  [[nodiscard]] bool needs_detector() const { return tracker_.needs_detector(); }
  void propose(std::span<const Detection> detections, std::vector<Face>& faces) const {
    tracker_.propose(detections, region_of, faces);
  }
  void update(double time_s, std::vector<Face>& faces) {
    const auto follow = [&](Face& face, mediapipe::Tracker::Track& track, bool) {
      const mediapipe::Region next = next_face_region(face);
      mediapipe::show_followed(face, time_s, smooth_, track);
      return next;
    };
    tracker_.update(follow, faces);
  }
  void reset() { tracker_.reset(); }

 private:
  mediapipe::Tracker tracker_;
  bool smooth_;
};

Detection detection_at(double x, float score) {
  Detection detection;
  detection.box = {x, 100, x + 60, 160};
  detection.score = score;
  detection.keypoints[0] = {x + 20, 120};
  detection.keypoints[1] = {x + 40, 120};
  return detection;
}

/// What the landmark network would say of an upright face of 60 pixels.
void see(Face& face, double x) {
  face.has_landmarks = true;
  face.presence = 0.9F;
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    face.landmarks[i] = {static_cast<float>(x) + static_cast<float>(i % 61), 100 + static_cast<float>(i / 61 * 60) / 7,
                         0};
  }
  face.landmarks[33] = {static_cast<float>(x) + 10, 120, 0};
  face.landmarks[263] = {static_cast<float>(x) + 50, 120, 0};
}

TEST(Tracker, asks_the_detector_only_until_a_face_is_followed) {
  FaceTracker tracker(1, false);
  ASSERT_TRUE(tracker.needs_detector());
  std::vector<Face> faces;
  const std::array<Detection, 2> detections = {detection_at(100, 0.9F), detection_at(300, 0.8F)};
  tracker.propose(detections, faces);
  ASSERT_EQ(faces.size(), 1U);
  EXPECT_TRUE(faces[0].has_keypoints);
  see(faces[0], 100);
  tracker.update(0, faces);
  EXPECT_EQ(faces[0].track_id, 0);
  EXPECT_FALSE(tracker.needs_detector());

  tracker.propose({}, faces);
  ASSERT_EQ(faces.size(), 1U);
  EXPECT_EQ(faces[0].track_id, 0);
  EXPECT_FALSE(faces[0].has_keypoints);
  EXPECT_NEAR(faces[0].region.width, 90, 1e-3);  // 1.5 times the landmarks' box
  see(faces[0], 104);
  tracker.update(0.04, faces);
  EXPECT_NEAR(faces[0].box.x1, 104, 1e-3);
  EXPECT_EQ(faces[0].score, 0.9F);
}

TEST(Tracker, loses_a_face_that_the_landmark_network_does_not_see) {
  FaceTracker tracker(1, false);
  std::vector<Face> faces;
  const std::array<Detection, 1> detections = {detection_at(100, 0.9F)};
  tracker.propose(detections, faces);
  see(faces[0], 100);
  tracker.update(0, faces);
  tracker.propose({}, faces);
  faces[0].has_landmarks = false;
  tracker.update(0.04, faces);
  EXPECT_TRUE(faces.empty());
  ASSERT_TRUE(tracker.needs_detector());
  tracker.propose(detections, faces);
  see(faces[0], 100);
  tracker.update(0.08, faces);
  EXPECT_EQ(faces[0].track_id, 1);
}

TEST(Tracker, keeps_a_track_when_the_detector_sees_the_same_face_and_adds_others) {
  FaceTracker tracker(3, false);
  std::vector<Face> faces;
  tracker.propose(std::array{detection_at(100, 0.9F)}, faces);
  see(faces[0], 100);
  tracker.update(0, faces);
  ASSERT_TRUE(tracker.needs_detector());
  const std::array<Detection, 3> detections = {detection_at(300, 0.9F), detection_at(102, 0.8F),
                                               detection_at(500, 0.7F)};
  tracker.propose(detections, faces);
  ASSERT_EQ(faces.size(), 3U);
  EXPECT_EQ(faces[0].track_id, 0);
  EXPECT_EQ(faces[1].box.x1, 300);
  EXPECT_EQ(faces[2].box.x1, 500);
  see(faces[0], 101);
  see(faces[1], 300);
  see(faces[2], 500);
  tracker.update(0.04, faces);
  EXPECT_FALSE(tracker.needs_detector());
  EXPECT_EQ(faces[2].track_id, 2);
  tracker.reset();
  EXPECT_TRUE(tracker.needs_detector());
}

TEST(Tracker, smooths_what_it_shows_but_follows_what_it_saw) {
  FaceTracker tracker(1, true);
  std::vector<Face> faces;
  tracker.propose(std::array{detection_at(100, 0.9F)}, faces);
  see(faces[0], 100);
  tracker.update(0, faces);
  tracker.propose({}, faces);
  see(faces[0], 101);
  tracker.update(0.04, faces);
  EXPECT_GT(faces[0].landmarks[0].x, 100);
  EXPECT_LT(faces[0].landmarks[0].x, 101);
  tracker.propose({}, faces);
  EXPECT_NEAR(faces[0].region.centre.x, 131, 1e-3);
}

TEST(AppendDetected, keeps_the_later_of_two_that_overlap) {
  std::vector<Face> faces;
  const std::array<Detection, 2> detections = {detection_at(100, 0.9F), detection_at(110, 0.8F)};
  mediapipe::append_detected(std::span(detections), region_of, true, faces);
  ASSERT_EQ(faces.size(), 1U);
  EXPECT_EQ(faces[0].score, 0.8F);
  faces.clear();
  mediapipe::append_detected(std::span(detections), region_of, false, faces);
  EXPECT_EQ(faces.size(), 2U);
}

TEST(Region, follows_the_rules_asked_for) {
  Detection tall = detection_at(100, 0.9F);
  tall.box.y2 = 180;
  const mediapipe::Region square = face_region(tall, Rules::kMediapipe), box = face_region(tall, Rules::kQaiHub);
  EXPECT_NEAR(square.width, 120, 1e-9);
  EXPECT_NEAR(square.height, 120, 1e-9);
  EXPECT_NEAR(box.width, 66, 1e-9);
  EXPECT_NEAR(box.height, 88, 1e-9);
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe_face
