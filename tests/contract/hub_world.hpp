#pragma once

#include <atomic>
#include <cstdlib>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/testing/counted_ids.hpp"
#include "base/testing/manual_clock.hpp"
#include "hub/domain/hub.hpp"
#include "hub/storage/files/file_blob_store.hpp"
#include "hub/storage/memory/memory_blob_store.hpp"
#include "hub/storage/memory/memory_store.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

namespace slipway::hub {

/// A hub over SQLite and files, or over stores in memory where the environment says SLIPWAY_TEST_IN_MEMORY, with one
/// administrator, one user and one agent that offers this machine and the compiler.
class HubTest : public ::testing::Test {
 protected:
  using MakeRows = std::function<std::unique_ptr<domain::RowStore>(const base::Clock&)>;
  /// @param make_rows  nothing: rows in SQLite, or in memory as above
  explicit HubTest(const MakeRows& make_rows = nullptr) : make_rows_(make_rows) {
    hub_.set_change_listener([this] { ++changes_; });
    hub_.sweep();  // as a server does when it starts
    admin_ = {.user = hub_.accounts.ensure_user("admin@hub", domain::Role::kAdmin).value(),
              .scope = domain::Scope::kUser};
    user_ = {.user = hub_.accounts.ensure_user("user@hub", domain::Role::kMember).value(),
             .scope = domain::Scope::kUser};
    other_ = {.user = hub_.accounts.ensure_user("other@hub", domain::Role::kMember).value(),
              .scope = domain::Scope::kUser};
    agent_ = {.user = admin_.user, .scope = domain::Scope::kAgent};
    agent_id_ = register_agent();
  }

  std::string register_agent(const std::string& instance = "i1", const std::string& successor_of = "") {
    domain::AgentRegistration registration;
    registration.name = "local";
    registration.instance = instance;
    registration.successor_of = successor_of;
    domain::Device machine;
    machine.name = "Test CPU";
    machine.os = "12";
    machine.attributes = {"os:linux", "framework:onnx", "htp-supports-fp16:true"};
    registration.devices = {machine};
    registration.frameworks = {
        {.name = "QAIRT", .api_version = "2.50", .api_tags = {"default"}, .full_version = "2.50.0.1"}};
    return hub_.agents.register_agent(agent_, registration).value();
  }

  static std::vector<domain::Device> small_catalogue() {
    std::vector<domain::CatalogueFile> files;
    for (const char* name : {"data/catalogue/devices.csv", "data/catalogue/aliases.csv"}) {
      files.push_back({.name = name, .content = base::read_file(name, domain::kLargestCatalogueBytes).value()});
    }
    return domain::read_catalogue(files).value();
  }

  std::string send(const std::string& upload_id, std::uint32_t index, std::string_view content) {
    auto writer = blobs_->write_part(upload_id, index, 1 << 20).value();
    EXPECT_TRUE(writer->write(std::as_bytes(std::span(content))));
    return writer->commit().value();
  }

  static domain::NewModel new_model(const std::string& name) {
    return {.name = name, .type = domain::ModelType::kOnnx, .is_directory = false, .project_id = ""};
  }
  /// A model whose upload has not begun.
  domain::Model create_model(const std::string& name = "n") {
    return hub_.contents.create_model(user_, new_model(name)).value();
  }
  /// Uploads bytes as a model; its inspection stays queued.
  domain::Model upload_model(const std::string& content = "onnx bytes") {
    const auto model = create_model("net.onnx");
    const auto plan = hub_.contents.plan_model_upload(user_, model.id, content.size()).value();
    std::vector<std::string> etags;
    for (std::uint32_t i = 0; i < plan.part_count; ++i) {
      etags.push_back(
          '"' + send(plan.id, i, std::string_view(content).substr(i * plan.part_size_bytes, plan.part_size_bytes)) +
          '"');
    }
    return hub_.contents.complete_model_upload(user_, model.id, plan.id, etags).value();
  }
  domain::Dataset upload_dataset(const std::string& content = "h5 bytes") {
    const auto dataset =
        hub_.contents.create_dataset(user_, {.name = "inputs", .permanent = false, .project_id = ""}).value();
    const auto plan = hub_.contents.plan_dataset_upload(user_, dataset.id, content.size()).value();
    EXPECT_TRUE(hub_.contents.note_form_upload(plan.id, send(plan.id, 0, content)));
    return hub_.contents.complete_dataset_upload(user_, dataset.id).value();
  }

  std::optional<domain::JobSpec> lease() {
    std::vector<domain::JobKind> kinds;
    for (const domain::KindEntry& kind : domain::JobKinds::kEntries) kinds.push_back(kind.number);
    const auto leased = hub_.agents.lease(agent_, agent_id_, kinds);
    EXPECT_TRUE(leased) << leased.error().message;
    return leased.value_or(std::nullopt);
  }
  /// Uploads the files of a result (name below out/ -> bytes) as an agent does, and completes the job.
  base::Result<void> complete(const domain::Job& job, const domain::JobOutcome& outcome,
                              const std::map<std::string, std::string>& contents = {}) {
    std::vector<domain::ResultFile> files;
    for (const auto& [name, content] : contents) {
      SLIPWAY_ASSIGN(files.emplace_back(), upload_result(job, name, content));
    }
    return hub_.agents.complete(agent_, job.id, job.lease_token, domain::to_document(outcome), files);
  }
  base::Result<domain::ResultFile> upload_result(const domain::Job& job, const std::string& name,
                                                 std::string_view content) {
    SLIPWAY_ASSIGN(const auto plan, hub_.agents.plan_result_upload(agent_, job.id, job.lease_token, content.size()));
    domain::ResultFile file{.name = name, .upload_id = plan.id, .etags = {}};
    for (std::uint32_t i = 0; i < plan.part_count; ++i) {
      file.etags.push_back(send(plan.id, i, content.substr(i * plan.part_size_bytes, plan.part_size_bytes)));
    }
    return file;
  }
  static domain::Blob blob_of(std::string_view content) {
    return {.sha256 = base::sha256_hex(content), .size_bytes = content.size()};
  }
  std::string read(const domain::Blob& blob) {
    std::string bytes(blob.size_bytes, '\0');
    const auto reader = blobs_->open_read(blob, {.first = 0, .size_bytes = blob.size_bytes});
    EXPECT_TRUE(reader) << reader.error().message;
    std::size_t count = 0;
    while (reader && count < bytes.size()) {
      const auto more = (*reader)->read(std::as_writable_bytes(std::span(bytes)).subspan(count));
      EXPECT_TRUE(more && *more > 0);
      if (!more || *more == 0) break;
      count += *more;
    }
    return bytes;
  }

  static domain::Inspection image_model() {
    domain::Inspection inspection;
    inspection.format = "onnx";
    inspection.inputs = {
        {.spec = {.name = "image", .dtype = tensor::Dtype::kFloat32, .shape = {1, 3, 8, 8}, .quantization = {}},
         .graph_name = ""}};
    return inspection;
  }
  static domain::Inspection image_data(tensor::Shape shape = {1, 3, 8, 8}) {
    domain::Inspection inspection;
    inspection.format = "hdf5 dataset";
    inspection.entries = {
        {.name = "image", .dtype = tensor::Dtype::kFloat32, .shapes = {std::move(shape)}, .sample_count = 1}};
    return inspection;
  }
  /// Executes the next inspection.
  void inspect(const domain::Inspection& found) {
    const auto spec = lease();
    ASSERT_TRUE(spec);
    ASSERT_EQ(kind_of(spec->job), domain::kKindOf<domain::kinds::Inspect>);
    domain::JobOutcome outcome;
    outcome.succeeded = true;
    outcome.result.emplace<domain::kinds::Inspect::Result>().inspection = found;
    ASSERT_TRUE(complete(spec->job, outcome));
  }
  domain::Model inspected_model() {
    const auto model = upload_model();
    inspect(image_model());
    return model;
  }
  domain::Dataset inspected_dataset(tensor::Shape shape = {1, 3, 8, 8}) {
    const auto dataset = upload_dataset();
    inspect(image_data(std::move(shape)));
    return dataset;
  }

  template <typename Kind>
  static domain::Submission submission(const std::string& model_id, const std::string& device,
                                       const std::string& options = "") {
    Kind payload;
    payload.model_id = model_id;
    if constexpr (std::derived_from<Kind, domain::kinds::Run>) payload.is_profiling = true;
    domain::Submission submission;
    submission.payload = payload;
    submission.devices.emplace_back().name = device;
    submission.options = options;
    return submission;
  }
  domain::Job compile(const std::string& model_id, const std::string& device = "Test CPU",
                      const std::string& options = "--target_runtime onnx") {
    auto job = hub_.jobs.submit(user_, submission<domain::kinds::Compile>(model_id, device, options));
    EXPECT_TRUE(job) << job.error().message;
    return job.value_or(domain::Job{});
  }
  static domain::kinds::Compile::Result& compile_result(domain::JobOutcome& outcome) {
    return std::get<domain::kinds::Compile::Result>(outcome.result);
  }
  /// What a compile job's process writes, with its files.
  static std::map<std::string, std::string> compiled(domain::JobOutcome& outcome) {
    outcome.succeeded = true;
    auto& result = outcome.result.emplace<domain::kinds::Compile::Result>();
    result.target_file = "target.onnx";
    result.companion_files = {{"source", "source.onnx"}};
    result.target_inputs = image_model().inputs;
    return {{"target.onnx", "the target"}, {"source.onnx", "the source"}};
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-hub").value();
  base::testing::ManualClock clock_;
  const bool is_in_memory_ = std::getenv("SLIPWAY_TEST_IN_MEMORY") != nullptr;
  MakeRows make_rows_;
  std::unique_ptr<domain::RowStore> rows_ = make_rows_ ? make_rows_(clock_)
                                            : is_in_memory_
                                                ? std::unique_ptr<domain::RowStore>(new storage::MemoryStore(clock_))
                                                : storage::SqliteStore::open(":memory:", clock_).value();
  std::unique_ptr<domain::BlobStore> blobs_ =
      is_in_memory_ ? std::unique_ptr<domain::BlobStore>(new storage::MemoryBlobStore(clock_))
                    : storage::FileBlobStore::open(folder_.path(), clock_).value();
  base::testing::CountedIds ids_;
  domain::Hub hub_{domain::HubSettings{.part_size_bytes = 4, .max_upload_bytes = 1000, .hub_version = "test"},
                   {*rows_, *blobs_, clock_, ids_},
                   small_catalogue()};
  domain::Actor admin_, user_, other_, agent_;
  std::string agent_id_;
  std::atomic<int> changes_ = 0;
};

}  // namespace slipway::hub
