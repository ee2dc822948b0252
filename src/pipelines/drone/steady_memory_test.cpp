// Counts what the pipeline's own code allocates: operator new is replaced in this program, and calls from elsewhere
// (ONNX Runtime) are not counted.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>

#include <gtest/gtest.h>

#include "pipelines/drone/pipeline.hpp"

namespace {

std::atomic<bool> is_counting = false;
std::atomic<std::int64_t> own_allocations = 0;

void* own_base() {
  static void* const kBase = [] {
    Dl_info info{};
    dladdr(reinterpret_cast<void*>(&own_base), &info);
    return info.dli_fbase;
  }();
  return kBase;
}

void* allocate(std::size_t size, std::size_t alignment, void* caller) {
  if (is_counting) {
    Dl_info info{};
    if (dladdr(caller, &info) != 0 && info.dli_fbase == own_base()) ++own_allocations;
  }
  void* memory = alignment > 0 ? std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
                               : std::malloc(size > 0 ? size : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size, 0, __builtin_return_address(0));
}
void* operator new[](std::size_t size) {
  return allocate(size, 0, __builtin_return_address(0));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace slipway::pipelines::drone {
namespace {

/// Coloured blocks that wander to the left, so that objects come and go.
media::Image frame_of(int number) {
  auto image = media::Image::create(192, 128).value();
  for (int y = 0; y < 128; ++y) {
    for (int x = 0; x < 192; ++x) {
      const int block = (x + number) / 24 + 3 * (y / 32);
      std::uint8_t* pixel = image.row(y) + std::ptrdiff_t{3} * x;
      for (int c = 0; c < 3; ++c) pixel[c] = block % 3 == c ? 240 : 10;
    }
  }
  return image;
}

std::unique_ptr<Drone> load(double budget_ms) {
  const auto paths = runtime::locate_libraries();
  SLIPWAY_CHECK(paths.has_value(), "ONNX Runtime was set up");
  Config config;
  config.detector_model = "tests/golden/yolov8/tiny.onnx";
  config.segmenter_model = "tests/golden/segmentation/tiny.onnx";
  config.detector_run.primary.intra_op_threads = config.segmenter_run.primary.intra_op_threads = 1;
  config.budget_ms = budget_ms;
  auto pipeline = Drone::load(std::move(runtime::Environment::open(*paths)).value(), config);
  SLIPWAY_CHECK(pipeline.has_value(), "the tiny networks load");
  return std::move(*pipeline);
}

std::int64_t resident_kib() {
  std::ifstream file("/proc/self/statm");
  std::int64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE) / 1024;
}

TEST(SteadyMemory, TheCounterCounts) {
  is_counting = true;
  const auto before = own_allocations.load();
  const std::vector<int> some(100);
  is_counting = false;
  EXPECT_EQ(own_allocations, before + 1);
  EXPECT_EQ(some.size(), 100U);
}

TEST(SteadyMemory, AFrameAllocatesNothingAfterWarmUp) {
  std::vector<media::Image> frames;
  for (int i = 0; i < 48; ++i) frames.push_back(frame_of(i));
  for (const double budget_ms : {0.0, 1000.0}) {
    const auto pipeline = load(budget_ms);
    Scene scene;
    // Buffers grow to what the stream needs: every frame was seen, and each of the map's two memories.
    for (int again = 0; again < 4; ++again) {
      for (const media::Image& frame : frames) ASSERT_TRUE(pipeline->run(frame.view(), true, scene));
    }
    ASSERT_FALSE(scene.objects.empty());
    own_allocations = 0;
    is_counting = true;
    for (const media::Image& frame : frames) ASSERT_TRUE(pipeline->run(frame.view(), true, scene));
    is_counting = false;
    EXPECT_EQ(own_allocations, 0) << "budget " << budget_ms;
  }
}

TEST(SteadyMemory, MemoryStaysTheSameOverTenThousandFrames) {
  std::vector<media::Image> frames;
  for (int i = 0; i < 48; ++i) frames.push_back(frame_of(i));
  const auto pipeline = load(0);
  Scene scene;
  std::int64_t early_kib = 0;
  for (std::size_t i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(pipeline->run(frames[i % frames.size()].view(), true, scene));
    if (i == 500) early_kib = resident_kib();
  }
  EXPECT_LT(resident_kib() - early_kib, 1024);
}

}  // namespace
}  // namespace slipway::pipelines::drone
