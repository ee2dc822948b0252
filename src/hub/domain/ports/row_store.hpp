#pragma once

#include "hub/domain/ports/account_store.hpp"
#include "hub/domain/ports/content_store.hpp"
#include "hub/domain/ports/job_store.hpp"
#include "hub/domain/ports/lease_queue.hpp"
#include "hub/domain/ports/upload_store.hpp"

namespace slipway::hub::domain {

/// A store that fills all ports of rows, for those who construct one. The hub's parts see the narrow ports alone.
class RowStore : public AccountStore, public ContentStore, public UploadStore, public JobStore, public LeaseQueue {};

}  // namespace slipway::hub::domain
