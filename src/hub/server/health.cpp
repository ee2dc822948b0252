#include "hub/server/health.hpp"

namespace slipway::hub::server {

void Health::note_failure(std::string_view part, std::string_view reason, base::Time now) {
  const std::lock_guard lock(mutex_);
  Trouble& trouble = troubles_[std::string(part)];
  if (trouble.failures == 0 || now - trouble.last > kCalm)
    trouble = {.part = std::string(part), .reason = {}, .since = now, .last = now};
  trouble.reason = reason;
  trouble.last = now;
  ++trouble.failures;
}

std::vector<Health::Trouble> Health::troubles(base::Time now) const {
  const std::lock_guard lock(mutex_);
  std::vector<Trouble> current;
  for (const auto& [part, trouble] : troubles_) {
    if (now - trouble.last <= kCalm) current.push_back(trouble);
  }
  return current;
}

}  // namespace slipway::hub::server
