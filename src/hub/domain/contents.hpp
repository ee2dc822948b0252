#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/actor.hpp"
#include "hub/domain/foundation.hpp"

namespace slipway::hub::domain {

struct NewModel {
  std::string name;
  ModelType type = ModelType::kOnnx;
  bool is_directory = false;
  std::string project_id;
};
struct NewDataset {
  std::string name;
  bool permanent = false;
  std::string project_id;
};

/// A file that may be fetched: bytes and the name for the local copy.
struct Download {
  Blob blob;
  std::string filename;
};

/// Models and datasets: how they come in, who may see them, how they are fetched and when their bytes may go.
///
/// Entries of other users are answered with kNotFound until sharing exists; administrators see everything.
/// @thread safe from any thread
class Contents {
 public:
  explicit Contents(const Foundation& hub) : hub_(hub) {}

  [[nodiscard]] base::Result<Model> create_model(const Actor& actor, const NewModel& request);
  /// @param file_size  nothing when an older client does not say
  /// @error kInvalidArgument: an empty file; kResourceExhausted: larger than the limit; kFailedPrecondition: uploaded
  [[nodiscard]] base::Result<Upload> plan_model_upload(const Actor& actor, const std::string& id,
                                                       std::optional<std::uint64_t> file_size);
  /// Idempotent. Entity tags may come with the quotes that HTTP puts around them.
  [[nodiscard]] base::Result<Model> complete_model_upload(const Actor& actor, const std::string& id,
                                                          const std::string& upload_id,
                                                          const std::vector<std::string>& etags);
  [[nodiscard]] base::Result<Model> model(const Actor& actor, const std::string& id) const;
  [[nodiscard]] base::Result<Model> rename_model(const Actor& actor, const std::string& id, const std::string& name);
  [[nodiscard]] base::Result<Listed<Model>> models(const Actor& actor, const std::string& producer, Page page) const;
  [[nodiscard]] base::Result<Dataset> create_dataset(const Actor& actor, const NewDataset& request);
  [[nodiscard]] base::Result<Upload> plan_dataset_upload(const Actor& actor, const std::string& id,
                                                         std::optional<std::uint64_t> file_size);
  [[nodiscard]] base::Result<Dataset> complete_dataset_upload(const Actor& actor, const std::string& id);
  [[nodiscard]] base::Result<Dataset> dataset(const Actor& actor, const std::string& id) const;
  [[nodiscard]] base::Result<Listed<Dataset>> datasets(const Actor& actor, Page page) const;

  /// The upload behind an asset URL. @error kNotFound: unknown or expired
  [[nodiscard]] base::Result<Upload> upload(const std::string& upload_id) const;
  /// Opens a part for a body of `size_bytes`; it goes straight to the store while it arrives.
  /// @error kNotFound: no such upload or part; kInvalidArgument: the size is another than planned
  [[nodiscard]] base::Result<std::unique_ptr<BlobStore::Writer>> write_part(const std::string& upload_id,
                                                                            std::uint32_t part,
                                                                            std::uint64_t size_bytes);
  /// Opens the only part of a form upload, which may have up to form_limit_bytes().
  [[nodiscard]] base::Result<std::unique_ptr<BlobStore::Writer>> write_form(const Upload& upload);
  [[nodiscard]] std::uint64_t form_limit_bytes(const Upload& upload) const;
  /// Remembers the tag of a form upload's only part.
  [[nodiscard]] base::Result<void> note_form_upload(const std::string& upload_id, const std::string& etag);

  /// Forgets an upload that cannot be finished, and frees what arrived of it.
  void abandon_upload(const std::string& upload_id);

  /// @error kNotFound; kFailedPrecondition: not uploaded or not produced (yet); says which
  [[nodiscard]] base::Result<Download> model_download(const Actor& actor, const std::string& id) const;
  [[nodiscard]] base::Result<Download> dataset_download(const Actor& actor, const std::string& id) const;

  /// Opens bytes that a link names; the link was the right of access.
  /// @error kNotFound: they are gone; kDataLoss: they are not whole
  [[nodiscard]] base::Result<std::unique_ptr<BlobStore::Reader>> open_read(const Blob& blob, ByteRange range) const;

  /// Forgets uploads that have expired.
  [[nodiscard]] base::Result<void> sweep();

  /// Removes content that nothing speaks of any more: results whose lease was lost, what broke off, and the data of
  /// expired datasets. Content younger than two days stays whatever rows say, and an upload lives one day.
  /// @param only_count  says what would go, and removes nothing
  [[nodiscard]] base::Result<BlobStore::Collected> collect(bool only_count);

 private:
  [[nodiscard]] Job inspection_of(const std::string& owner_id, const std::string& model_id,
                                  const std::string& dataset_id);

  const Foundation& hub_;
};

}  // namespace slipway::hub::domain
