#include "hub/domain/kinds/inspect/inspect.hpp"

namespace slipway::hub::domain::kinds {

base::Result<void> Inspect::complete(const Job& /*job*/, const Inspect& /*payload*/, const Result& result,
                                     const ResultFiles& /*files*/, Products& products) {
  if (!result.inspection) return base::fail(base::Code::kInternal, "the inspection ended without a finding");
  products.inspection = result.inspection;
  return {};
}

Inspection Inspect::finding_of_failure(const std::string& reason) {
  Inspection inspection;
  inspection.error = "it could not be inspected: " + reason;
  return inspection;
}

}  // namespace slipway::hub::domain::kinds
