#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "base/testing/counted_ids.hpp"
#include "base/testing/simulated_clock.hpp"
#include "hub/client/http.hpp"
#include "hub/domain/hub.hpp"
#include "hub/server/service.hpp"
#include "hub/storage/memory/memory_blob_store.hpp"
#include "hub/storage/memory/memory_store.hpp"

namespace slipway::simulation {

/// What an execution of a job is told apart by: no two leases are given at one time.
[[nodiscard]] std::string execution_of(const hub::domain::Job& job);

/// Rows, with a book of who holds which job that knows nothing of tokens. Between any two calls others may have theirs.
class WatchedStore final : public hub::storage::MemoryStore {
 public:
  explicit WatchedStore(const base::testing::SimulatedClock& clock) : MemoryStore(clock), clock_(clock) {}

  base::Result<std::optional<hub::domain::Job>> lease_job(const hub::domain::LeaseRequest& request) override;
  base::Result<void> renew_lease(const std::string& job_id, const std::string& token, base::Time until) override;
  base::Result<void> complete_job(const hub::domain::Job& job, const std::string& token,
                                  const std::optional<hub::domain::Model>& target,
                                  const std::optional<hub::domain::Dataset>& output,
                                  const std::optional<hub::domain::Inspection>& inspection) override;
  base::Result<void> fail_job(const hub::domain::Job& job,
                              const std::optional<hub::domain::Inspection>& inspection) override;
  base::Result<std::vector<hub::domain::Job>> reclaim_leases(base::Time lease_time, base::Time now,
                                                             int max_attempts) override;
  base::Result<void> return_lease(const std::string& job_id, const std::string& token, base::Time now) override;
  base::Result<std::vector<std::string>> return_leases(const std::string& agent_id, base::Time now) override;

  std::function<std::chrono::milliseconds()> delay = [] { return std::chrono::milliseconds(0); };  ///< of a call
  std::map<std::string, std::string> holders;                                                      ///< job -> execution
  std::map<std::string, int> ends;              ///< job -> how often it has ended
  std::map<std::string, std::string> accepted;  ///< job -> execution whose result was taken
  std::vector<std::string> complaints;

 private:
  void let_others() const;
  void strike_off_the_queued();

  const base::testing::SimulatedClock& clock_;
};

/// How the network and the store fare, each a chance in a thousand of one request or call.
struct Weather {
  int request_lost = 0, answer_lost = 0, slow = 0, broken_download = 0, slow_store = 0;
};

/// A hub that can be switched off and on again over the same stores, and the network to it.
class SimulatedHub {
 public:
  SimulatedHub(std::uint64_t seed, const base::testing::SimulatedClock& clock);

  void switch_on();
  /// As by a power cut: requests under way end unanswered, wherever they are.
  void switch_off();
  [[nodiscard]] bool is_on() const { return process_ != nullptr; }
  [[nodiscard]] hub::domain::Hub& hub() { return process_->hub; }
  /// What a server does every second, and what arrives late.
  void tend();

  /// The way to the hub for the agent's process that lives until `dead`.
  [[nodiscard]] std::unique_ptr<hub::client::Connection> connect(std::shared_ptr<const bool> dead);

  [[nodiscard]] std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  [[nodiscard]] std::string read(const hub::domain::Blob& blob) const;

  Weather weather;
  base::testing::CountedIds ids;
  WatchedStore rows;
  hub::storage::MemoryBlobStore blobs;
  std::string agent_token;
  hub::domain::Actor user;

 private:
  friend class SimulatedConnection;
  struct Process {
    explicit Process(SimulatedHub& world);
    hub::domain::Hub hub;
    hub::server::Health health;
    hub::server::SignedLinks links;
    hub::server::Service service;
    std::uint64_t changes = 0;
  };
  /// A request that its sender no longer waits for.
  struct Late {
    base::Instant arrives;
    hub::server::Request request;
  };

  [[nodiscard]] bool happens(int in_a_thousand) { return draw(1000) < static_cast<std::uint64_t>(in_a_thousand); }
  /// @return nothing: the hub is off, or goes off meanwhile, or `stop`
  [[nodiscard]] std::optional<hub::server::Response> deliver(hub::server::Request request, const std::stop_token& stop);

  const base::testing::SimulatedClock& clock_;
  std::mt19937_64 random_;
  std::shared_ptr<Process> process_;
  std::vector<Late> late_;
};

}  // namespace slipway::simulation
