#include "media/audio_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sndfile.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "base/output_file.hpp"

namespace slipway::media {

using base::Code;
using base::fail;
using base::Result;

std::string_view audio_extension(AudioEncoding encoding) {
  return encoding == AudioEncoding::kFlac16 || encoding == AudioEncoding::kFlac24 ? ".flac" : ".wav";
}

namespace {

int sndfile_format(AudioEncoding encoding, std::int64_t frames) {
  constexpr std::int64_t kMostWavBytes = std::int64_t{0xffffffff} - 4096;  // its sizes have 32 bits
  const int wav = frames > kMostWavBytes / 8 ? SF_FORMAT_RF64 : SF_FORMAT_WAV;
  switch (encoding) {
    case AudioEncoding::kWav16:
      return wav | SF_FORMAT_PCM_16;
    case AudioEncoding::kWav24:
      return wav | SF_FORMAT_PCM_24;
    case AudioEncoding::kWavFloat:
      return wav | SF_FORMAT_FLOAT;
    case AudioEncoding::kFlac16:
      return SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
    case AudioEncoding::kFlac24:
      return SF_FORMAT_FLAC | SF_FORMAT_PCM_24;
  }
  return 0;
}

// What an integer sample of the file stands for: full scale less one (demucs/audio.py _pcm_bytes); 0 for floats.
int integer_scale(AudioEncoding encoding) {
  switch (encoding) {
    case AudioEncoding::kWav16:
    case AudioEncoding::kFlac16:
      return (1 << 15) - 1;
    case AudioEncoding::kWav24:
    case AudioEncoding::kFlac24:
      return (1 << 23) - 1;
    case AudioEncoding::kWavFloat:
      return 0;
  }
  return 0;
}

}  // namespace

struct AudioWriter::State {
  explicit State(base::OutputFile made) : output(std::move(made)) {}

  base::OutputFile output;
  const std::filesystem::path& target = output.path();
  SNDFILE* file = nullptr;
  int scale = 0;
  std::int64_t over = 0;
  std::int64_t frames = 0;
  std::vector<float> floats;
  std::vector<int> integers;

  ~State() {
    if (file != nullptr) sf_close(file);
  }

  Result<void> failed(std::string_view what) const {
    const int error = errno;
    if (error != 0) return std::unexpected(base::errno_error(error, fmt::format("{}: {}", target.string(), what)));
    return fail(Code::kResourceExhausted, "{}: {}: {}", target.string(), what, sf_strerror(file));
  }
};

AudioWriter::AudioWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
AudioWriter::AudioWriter(AudioWriter&&) noexcept = default;
AudioWriter& AudioWriter::operator=(AudioWriter&&) noexcept = default;
AudioWriter::~AudioWriter() = default;

Result<AudioWriter> AudioWriter::create(const std::filesystem::path& path, int sample_rate, AudioEncoding encoding,
                                        std::int64_t frames) {
  SLIPWAY_ASSIGN(base::OutputFile output, base::OutputFile::create(path));
  if (output.is_stream()) {
    return fail(Code::kInvalidArgument, "{}: is no plain file, and a sound file's beginning is written last",
                path.string());
  }
  auto state = std::make_unique<State>(std::move(output));
  state->scale = integer_scale(encoding);
  SF_INFO info{};
  info.samplerate = sample_rate;
  info.channels = 2;
  info.format = sndfile_format(encoding, frames);
  // libsndfile closes what it has; the file stays ours.
  base::Descriptor descriptor(::fcntl(state->output.descriptor(), F_DUPFD_CLOEXEC, 3));
  state->file = sf_open_fd(descriptor.release(), SFM_WRITE, &info, SF_TRUE);
  if (state->file == nullptr) return fail(Code::kInternal, "{}: {}", path.string(), sf_strerror(nullptr));
  // libsndfile's optional PEAK chunk carries the time of writing: equal input shall give equal files.
  sf_command(state->file, SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
  return AudioWriter(std::move(state));
}

Result<void> AudioWriter::write(std::span<const float> left, std::span<const float> right) {
  SLIPWAY_CHECK(left.size() == right.size() && state_->file != nullptr, "both sides, before finish()");
  State& s = *state_;
  s.floats.resize(2 * left.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    s.floats[2 * i] = left[i];
    s.floats[2 * i + 1] = right[i];
  }
  for (const float value : s.floats) s.over += std::abs(value) > 1.0F ? 1 : 0;
  const auto frames = static_cast<sf_count_t>(left.size());
  errno = 0;
  sf_count_t written = 0;
  if (s.scale == 0) {
    written = sf_writef_float(s.file, s.floats.data(), frames);
  } else {
    // libsndfile takes integers left-justified in 32 bits; the fraction is cut, as NumPy's astype does.
    const int shift = s.scale > (1 << 15) ? 8 : 16;
    s.integers.resize(s.floats.size());
    std::transform(s.floats.begin(), s.floats.end(), s.integers.begin(), [&](float value) {
      return static_cast<int>(std::clamp(value, -1.0F, 1.0F) * static_cast<float>(s.scale)) * (1 << shift);
    });
    written = sf_writef_int(s.file, s.integers.data(), frames);
  }
  if (written != frames) return s.failed("writing");
  s.frames += frames;
  return {};
}

Result<void> AudioWriter::finish() {
  SLIPWAY_TRY(close());
  return publish();
}

Result<void> AudioWriter::close() {
  State& s = *state_;
  SLIPWAY_CHECK(s.file != nullptr, "close() once");
  errno = 0;
  if (sf_error(s.file) != SF_ERR_NO_ERROR) return s.failed("writing");
  sf_write_sync(s.file);
  SNDFILE* file = std::exchange(s.file, nullptr);
  if (sf_close(file) != 0) return fail(Code::kResourceExhausted, "{}: closing the file failed", s.target.string());
  // FLAC flushes its last block while closing, and libsndfile keeps what came of that to itself: read the length back.
  SF_INFO info{};
  ::lseek(s.output.descriptor(), 0, SEEK_SET);
  SNDFILE* check = sf_open_fd(s.output.descriptor(), SFM_READ, &info, SF_FALSE);
  if (check != nullptr) sf_close(check);
  if (check == nullptr || info.frames != s.frames) {
    return fail(base::Reason::kOutOfDisk, "{}: {} frames were written, {} arrived: is the disk full?",
                s.target.string(), s.frames, check == nullptr ? 0 : info.frames);
  }
  return {};
}

Result<void> AudioWriter::publish() {
  State& s = *state_;
  SLIPWAY_CHECK(s.file == nullptr, "publish() after close()");
  return s.output.publish();
}

std::int64_t AudioWriter::samples_over() const {
  return state_->over;
}

}  // namespace slipway::media
