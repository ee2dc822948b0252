#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "runtime/measured_time.hpp"
#include "runtime/session.hpp"
#include "tensor/tensor.hpp"

namespace slipway::pipelines {

/// How a network is run, and what stands by for it.
struct StandbyOptions {
  runtime::SessionOptions primary;
  std::optional<runtime::SessionOptions> standby;     ///< nothing: an error of the primary is the caller's
  double stall_factor = 3;                            ///< a run that takes so many running medians is a stall
  std::chrono::milliseconds least_deadline{30};       ///< below this nothing is called a stall: the system's own pauses
  std::chrono::milliseconds first_run_limit{20'000};  ///< for the warm-up, which may compile
};

/// That, when and why a network went over to its standby.
struct Replacement {
  enum class Cause { kLoad, kError, kStall };
  Cause cause = Cause::kLoad;
  std::int64_t run = 0;  ///< the first run that the standby did; 0 when the primary never did one
  std::string from;      ///< provider
  std::string to;
  std::string reason;                         ///< in words
  std::optional<runtime::MeasuredTime> lost;  ///< of that run's time, spent on the primary
};
/// What is said of a run that did not come back in time: with times, unless they are an emulator's.
[[nodiscard]] std::string stall_text(const runtime::MeasuredTime& spent, const runtime::MeasuredTime& median);
[[nodiscard]] std::string_view cause_name(Replacement::Cause cause);  ///< "load", "error", "stall"

/// A network of one input that outlives its provider: when the primary session cannot be loaded, fails, or takes longer
/// than three running medians of its time, a second session that was loaded and run beforehand does this run and all
/// later ones. The caller sees one slow run, no error.
///
/// With a standby the primary runs in a thread of its own, which is given up when it does not come back.
/// @thread one object belongs to one thread
class StandbyRun {
 public:
  /// Loads the sessions.
  /// @error the primary's, when there is no standby or the standby cannot be loaded either
  [[nodiscard]] static base::Result<std::unique_ptr<StandbyRun>> load(std::shared_ptr<runtime::Environment> environment,
                                                                      const std::filesystem::path& model,
                                                                      const StandbyOptions& options);
  ~StandbyRun();

  /// What the model takes and gives.
  [[nodiscard]] const std::vector<tensor::TensorSpec>& inputs() const;
  [[nodiscard]] const std::vector<tensor::TensorSpec>& outputs() const;

  /// Takes memory for the input, which has no dynamic side any more, and warms both sessions up when there are two.
  /// @pre once, before what follows
  [[nodiscard]] base::Result<void> prepare(const tensor::TensorSpec& input);

  /// The input's bytes, to be filled before run(). Ask again for every run: a replacement brings its own.
  [[nodiscard]] std::span<std::byte> input();

  /// @error without a standby, or after its replacement: as runtime::BoundRun::run
  [[nodiscard]] base::Result<void> run();

  /// Of the latest run, until the next.
  [[nodiscard]] base::Result<const tensor::NamedTensors*> run_outputs();

  [[nodiscard]] const std::optional<Replacement>& replacement() const;
  [[nodiscard]] const runtime::Session& session() const;  ///< the one in use
  [[nodiscard]] std::string provider() const;             ///< of the one in use

 private:
  struct State;
  explicit StandbyRun(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines
