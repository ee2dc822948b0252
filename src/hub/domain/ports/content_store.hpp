#pragma once

#include <set>
#include <string>

#include "base/error.hpp"
#include "hub/domain/job.hpp"
#include "hub/domain/ports/page.hpp"

namespace slipway::hub::domain {

/// Rows of models and datasets. Each call is one transaction: after it returns, a crash loses nothing of it.
/// @thread safe from any thread
class ContentStore {
 public:
  virtual ~ContentStore() = default;

  [[nodiscard]] virtual base::Result<void> insert_model(const Model& model) = 0;
  [[nodiscard]] virtual base::Result<Model> model(const std::string& id) const = 0;
  [[nodiscard]] virtual base::Result<void> rename_model(const std::string& id, const std::string& name) = 0;
  [[nodiscard]] virtual base::Result<Listed<Model>> models(const std::string& owner_id, const std::string& producer,
                                                           Page page) const = 0;
  [[nodiscard]] virtual base::Result<void> insert_dataset(const Dataset& dataset) = 0;
  [[nodiscard]] virtual base::Result<Dataset> dataset(const std::string& id) const = 0;
  [[nodiscard]] virtual base::Result<Listed<Dataset>> datasets(const std::string& owner_id, Page page) const = 0;

  /// Marks an upload complete and queues its inspection, all or nothing.
  /// @error kAborted: it is complete already; nothing is changed
  [[nodiscard]] virtual base::Result<void> complete_model_upload(const Model& model, const Job& inspection) = 0;
  [[nodiscard]] virtual base::Result<void> complete_dataset_upload(const Dataset& dataset, const Job& inspection) = 0;

  /// The SHA-256 of all content that a row speaks of, for telling what may go. Left out is what only datasets hold that
  /// expired before `now` and that no waiting or running job takes: it can no longer be fetched or used.
  [[nodiscard]] virtual base::Result<std::set<std::string>> content_in_use(base::Time now) const = 0;
};

}  // namespace slipway::hub::domain
