#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/manual_clock.hpp"
#include "hub/domain/ports/row_store.hpp"
#include "hub/storage/memory/memory_store.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

namespace slipway::hub {

inline base::Time at_second(std::int64_t second) {
  return base::Time(std::chrono::seconds(1'800'000'000 + second));
}

/// A store of rows of the kind named by the test's parameter. A further store is one more name here and in kStores.
class RowStoreTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { open(); }

  void open() {
    const std::string kind = GetParam();
    if (kind == "memory") {
      store_ = std::make_unique<storage::MemoryStore>(clock_);
      return;
    }
    auto opened = storage::SqliteStore::open(
        kind == "sqlite_memory" ? std::filesystem::path(":memory:") : folder_.path() / "hub.sqlite", clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  /// Closes and opens again what outlives its process.
  void reopen() {
    if (std::string(GetParam()) != "sqlite_file") return;
    store_.reset();
    open();
  }

  domain::RowStore& store() { return *store_; }

  base::testing::ManualClock clock_;

 private:
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-contract").value();
  std::unique_ptr<domain::RowStore> store_;
};

inline const auto kStores = ::testing::Values("sqlite_file", "sqlite_memory", "memory");
inline std::string store_name(const ::testing::TestParamInfo<const char*>& info) {
  return info.param;
}

/// Rows as tests need them.
inline domain::Model uploaded_model(const std::string& id, const std::string& owner = "u1") {
  domain::Model model;
  model.id = id;
  model.owner_id = owner;
  model.name = "name of " + id;
  model.upload = domain::UploadState::kComplete;
  model.content = {.sha256 = std::string(64, 'a'), .size_bytes = 3};
  model.inspection.emplace().format = "onnx";
  return model;
}

inline domain::Job compile_job(const std::string& id, const std::string& model_id, const std::string& owner = "u1") {
  domain::Job job;
  job.id = id;
  job.owner_id = owner;
  job.name = "name of " + id;
  job.created = job.updated = at_second(0);
  job.device.emplace().name = "CPU";
  domain::kinds::Compile compile;
  compile.model_id = model_id;
  job.payload = compile;
  return job;
}
inline domain::Job inference_job(const std::string& id, const std::string& model_id, const std::string& dataset_id) {
  domain::Job job = compile_job(id, model_id);
  domain::kinds::Inference inference;
  inference.model_id = model_id;
  inference.dataset_id = dataset_id;
  job.payload = inference;
  return job;
}
inline domain::Job inspection_job(const std::string& id, const std::string& model_id,
                                  const std::string& dataset_id = "") {
  domain::Job job = compile_job(id, model_id);
  domain::kinds::Inspect inspect;
  inspect.model_id = model_id;
  inspect.dataset_id = dataset_id;
  job.payload = inspect;
  return job;
}

inline domain::LeaseRequest lease_by(const std::string& token, base::Time now = at_second(0)) {
  domain::LeaseRequest request;
  request.agent_id = "a1";
  for (const domain::KindEntry& kind : domain::JobKinds::kEntries) request.kinds.push_back(kind.number);
  request.lease_token = token;
  request.now = now;
  request.until = now + std::chrono::seconds(30);
  return request;
}

inline domain::Job ended(domain::Job job, domain::JobState state) {
  job.state = state;
  job.completed = job.updated = at_second(100);
  job.outcome.emplace().succeeded = state == domain::JobState::kDone;
  return job;
}

}  // namespace slipway::hub
