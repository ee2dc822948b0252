#include <algorithm>

#include "pipelines/demucs/separate.hpp"

namespace slipway::pipelines::demucs {

using base::Code;
using base::fail;
using base::Result;

Result<std::vector<std::string>> stem_names(const std::vector<std::string>& sources, const std::string& two_stems) {
  if (two_stems.empty()) return sources;
  if (std::ranges::find(sources, two_stems) == sources.end()) {
    return fail(Code::kInvalidArgument, "there is no stem '{}' in this model; its stems are {}", two_stems,
                fmt::join(sources, ", "));
  }
  return std::vector<std::string>{two_stems, "no_" + two_stems};
}

Result<StemFiles> StemFiles::create(const std::filesystem::path& output, const std::vector<std::string>& sources,
                                    const std::string& two_stems, int sample_rate, media::AudioEncoding encoding,
                                    std::int64_t frames) {
  StemFiles files;
  files.source_count_ = sources.size();
  SLIPWAY_ASSIGN(const std::vector<std::string> names, stem_names(sources, two_stems));
  if (!two_stems.empty()) files.alone_ = std::ranges::find(sources, two_stems) - sources.begin();
  std::error_code error;
  std::filesystem::create_directories(output, error);
  if (error) return fail(Code::kPermissionDenied, "{}: cannot be made: {}", output.string(), error.message());
  for (const std::string& name : names) {
    const auto file = output / (name + std::string(media::audio_extension(encoding)));
    SLIPWAY_ASSIGN(auto writer, media::AudioWriter::create(file, sample_rate, encoding, frames));
    files.writers_.push_back(std::move(writer));
    files.stems_.push_back({name, file, 0, {}});
  }
  return files;
}

Result<void> StemFiles::write(std::span<const float> waves, std::size_t count) {
  const auto side = [&](std::size_t stem, std::size_t channel) {
    return waves.subspan((stem * 2 + channel) * count, count);
  };
  if (alone_ < 0) {
    for (std::size_t s = 0; s < source_count_; ++s) SLIPWAY_TRY(writers_[s].write(side(s, 0), side(s, 1)));
    return {};
  }
  const auto alone = static_cast<std::size_t>(alone_);
  SLIPWAY_TRY(writers_[0].write(side(alone, 0), side(alone, 1)));
  std::vector<float> rest(2 * count);
  for (std::size_t s = 0; s < source_count_; ++s) {
    if (s == alone) continue;
    const auto both = waves.subspan(s * 2 * count, 2 * count);
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] += both[i];
  }
  return writers_[1].write(std::span(rest).first(count), std::span(rest).last(count));
}

Result<std::vector<WrittenStem>> StemFiles::finish() {
  for (std::size_t k = 0; k < writers_.size(); ++k) {
    stems_[k].samples_over = writers_[k].samples_over();
    SLIPWAY_TRY(writers_[k].close());
  }
  for (auto& writer : writers_) SLIPWAY_TRY(writer.publish());
  return std::move(stems_);
}

}  // namespace slipway::pipelines::demucs
