#include "apps/hub_worker/private_paths.hpp"

#include <gtest/gtest.h>

namespace slipway::worker {
namespace {

TEST(PrivatePaths, are_left_out_and_names_below_them_stay) {
  const PrivatePaths paths({"/srv/work", "/srv/work/job-j1-Xy", "/opt/ort/lib/", "", "/"});
  EXPECT_EQ(paths.without("open /srv/work/job-j1-Xy/in/model.onnx: No such file"), "open in/model.onnx: No such file");
  EXPECT_EQ(paths.without("/opt/ort/lib/libonnxruntime.so.1 and /srv/work/other"), "libonnxruntime.so.1 and other");
  EXPECT_EQ(paths.without("node /conv1/Conv and /srv/worker"), "node /conv1/Conv and /srv/worker");
  EXPECT_EQ(paths.without(""), "");
}

}  // namespace
}  // namespace slipway::worker
