#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "hub/server/byte_range.hpp"
#include "hub/server/internal/handlers.hpp"
#include "hub/server/multipart.hpp"

namespace slipway::hub::server::internal {
namespace {

/// Room for the delimiters, headers and plain fields around the file of a form.
constexpr std::uint64_t kFormOverheadBytes = 64 * 1024;
constexpr std::string_view kFileField = "file";

Response stored(const std::string& tag) {
  Response response;
  response.content_type = "text/plain";
  // The client insists on an ETag and sends it back as it is, quotes and all.
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", tag));
  return response;
}

/// One part of a multi-part upload, of exactly the size that the plan says.
class PartSink final : public BodySink {
 public:
  explicit PartSink(std::unique_ptr<domain::BlobStore::Writer> writer) : writer_(std::move(writer)) {}
  base::Result<void> write(std::span<const std::byte> bytes) override { return writer_->write(bytes); }
  base::Result<Response> finish() override {
    SLIPWAY_ASSIGN(const std::string tag, writer_->commit());
    return stored(tag);
  }

 private:
  std::unique_ptr<domain::BlobStore::Writer> writer_;
};

/// A form with one file, which goes to the store while it arrives.
class FormSink final : public BodySink, private MultipartParser::Receiver {
 public:
  FormSink(domain::Hub& hub, domain::Upload upload, std::string_view boundary)
      : hub_(hub), upload_(std::move(upload)), parser_(boundary, *this) {}

  base::Result<void> write(std::span<const std::byte> bytes) override {
    return parser_.feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  base::Result<Response> finish() override {
    SLIPWAY_TRY(parser_.finish());
    if (!writer_) {
      return base::fail(base::Code::kInvalidArgument, "form: expected a file in the field \"{}\", found none",
                        kFileField);
    }
    if (upload_.size_bytes != 0 && received_bytes_ != upload_.size_bytes) {
      return base::fail(base::Code::kInvalidArgument, "form: expected a file of {} bytes as announced, found {}",
                        upload_.size_bytes, received_bytes_);
    }
    SLIPWAY_ASSIGN(const std::string tag, writer_->commit());
    SLIPWAY_TRY(hub_.contents.note_form_upload(upload_.id, tag));
    return stored(tag);
  }

 private:
  base::Result<void> begin_part(const std::string& name) override {
    is_file_ = name == kFileField;
    if (!is_file_) return {};
    if (writer_) return base::fail(base::Code::kInvalidArgument, "form: expected one file, found a second one");
    SLIPWAY_ASSIGN(writer_, hub_.contents.write_form(upload_));
    return {};
  }
  base::Result<void> part_data(std::span<const std::byte> bytes) override {
    if (!is_file_) return {};
    received_bytes_ += bytes.size();
    if (received_bytes_ > limit_bytes()) {
      return base::fail(base::Code::kResourceExhausted, "form: the file is larger than {} bytes", limit_bytes());
    }
    return writer_->write(bytes);
  }
  base::Result<void> end_part() override { return {}; }

  [[nodiscard]] std::uint64_t limit_bytes() const { return hub_.contents.form_limit_bytes(upload_); }

  domain::Hub& hub_;
  domain::Upload upload_;
  MultipartParser parser_;
  std::unique_ptr<domain::BlobStore::Writer> writer_;
  bool is_file_ = false;
  std::uint64_t received_bytes_ = 0;
};

/// An upload that found no room is over: what arrived of it would only keep others from storing.
class AbandoningSink final : public BodySink {
 public:
  AbandoningSink(domain::Hub& hub, std::string upload_id, std::unique_ptr<BodySink> sink)
      : hub_(hub), upload_id_(std::move(upload_id)), sink_(std::move(sink)) {}
  base::Result<void> write(std::span<const std::byte> bytes) override { return judged(sink_->write(bytes)); }
  base::Result<Response> finish() override { return judged(sink_->finish()); }

 private:
  template <typename T>
  base::Result<T> judged(base::Result<T> outcome) {
    if (!outcome && outcome.error().is_about_writing()) hub_.contents.abandon_upload(upload_id_);
    return outcome;
  }

  domain::Hub& hub_;
  std::string upload_id_;
  std::unique_ptr<BodySink> sink_;
};

base::Result<std::uint64_t> required_length(std::optional<std::uint64_t> content_length) {
  if (content_length) return *content_length;
  return base::fail(base::Code::kInvalidArgument, "expected a Content-Length header on an upload, found none");
}

/// The name for a Content-Disposition header: no quotes, no control characters, no folders.
std::string plain_filename(const std::string& name) {
  std::string result = name;
  for (char& c : result) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\' || c == '/') c = '_';
  }
  return result.empty() ? "file" : result;
}

}  // namespace

base::Result<std::unique_ptr<BodySink>> open_part(const Context& context, const Call& call,
                                                  std::optional<std::uint64_t> content_length) {
  SLIPWAY_ASSIGN(const std::uint64_t size, required_length(content_length));
  const std::string& text = call.match.parameters.at(1);
  const auto part = base::parse_number<std::uint32_t>(text);
  if (!part) {
    return base::fail(base::Code::kNotFound, "parts of an upload have numbers from 0 on, not \"{}\"", text);
  }
  const std::string& upload_id = call.match.parameters.at(0);
  SLIPWAY_ASSIGN(auto writer, context.hub.contents.write_part(upload_id, *part, size));
  return std::make_unique<AbandoningSink>(context.hub, upload_id, std::make_unique<PartSink>(std::move(writer)));
}

base::Result<std::unique_ptr<BodySink>> open_form(const Context& context, const Call& call,
                                                  std::optional<std::uint64_t> content_length) {
  SLIPWAY_ASSIGN(const std::uint64_t size, required_length(content_length));
  SLIPWAY_ASSIGN(const domain::Upload upload, context.hub.contents.upload(call.match.parameters.at(0)));
  SLIPWAY_ASSIGN(const std::string boundary, multipart_boundary(call.request.content_type));
  const std::uint64_t file = context.hub.contents.form_limit_bytes(upload);
  if (size > file + kFormOverheadBytes) {
    return base::fail(base::Code::kResourceExhausted, "form: expected a file of at most {} bytes, found {} in all",
                      file, size);
  }
  return std::make_unique<AbandoningSink>(context.hub, upload.id,
                                          std::make_unique<FormSink>(context.hub, upload, boundary));
}

Reply asset_download(const Context& context, const Call& call) {
  SLIPWAY_ASSIGN(const SignedLinks::Target target, context.links.open(call.match.parameters.at(0)));
  const std::uint64_t size = target.blob.size_bytes;
  const RangeRequest wanted = parse_range(call.request.range, size);
  SLIPWAY_ASSIGN(std::shared_ptr<domain::BlobStore::Reader> reader,
                 context.hub.contents.open_read(target.blob, wanted.range));
  Response response;
  response.content_type = "application/octet-stream";
  response.headers = {{"Accept-Ranges", "bytes"},
                      {"ETag", fmt::format("\"{}\"", target.blob.sha256)},
                      {"Cache-Control", "private, no-store"},
                      {"Content-Disposition",
                       fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}", plain_filename(target.filename),
                                   protocol::percent_encoded(target.filename))}};
  if (wanted.kind == RangeRequest::Kind::kUnsatisfiable) {
    response.status = 416;
    response.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
    return response;
  }
  if (wanted.kind == RangeRequest::Kind::kPart) {
    response.status = 206;
    response.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", wanted.range.first,
                                                               wanted.range.first + wanted.range.size_bytes - 1, size));
  }
  response.stream = Stream{.reader = std::move(reader), .size_bytes = wanted.range.size_bytes};
  return response;
}

}  // namespace slipway::hub::server::internal
