#pragma once

#include <optional>
#include <string>

#include "runtime/profiling.hpp"
#include "runtime/provider.hpp"

namespace slipway::runtime {

/// Where a time was taken.
struct TimeOrigin {
  std::string machine;   ///< empty: this one
  std::string provider;  ///< as find_provider() names it; empty: our own work, on the CPU
  ComputeUnit unit = ComputeUnit::kCpu;
  bool is_emulated = false;  ///< on Qualcomm's emulator: no device's time

  /// Of what runs beside the networks, on this machine's CPU.
  [[nodiscard]] static TimeOrigin own_work() { return {}; }
  /// Of what runs by a provider on this machine.
  [[nodiscard]] static TimeOrigin of(std::string provider, bool is_emulated) {
    const auto row = find_provider(provider);
    return {"", std::move(provider), row ? (*row)->unit : ComputeUnit::kCpu, is_emulated};
  }
  /// Of what both have a share in: emulated when one is.
  [[nodiscard]] TimeOrigin with(const TimeOrigin& other) const {
    TimeOrigin both = *this;
    both.is_emulated |= other.is_emulated;
    return both;
  }
};

/// A measured value that knows where it was taken. What an emulator took is not kept: nothing can print it.
template <typename Value>
class MeasuredValue {
 public:
  MeasuredValue(const Value& value, TimeOrigin origin) : origin_(std::move(origin)) {
    if (!origin_.is_emulated) value_ = value;
  }
  /// Nothing when it was an emulator's.
  [[nodiscard]] const std::optional<Value>& value() const { return value_; }
  [[nodiscard]] const TimeOrigin& origin() const { return origin_; }

 private:
  TimeOrigin origin_;
  std::optional<Value> value_;
};

/// Microseconds.
class MeasuredTime : public MeasuredValue<double> {
 public:
  using MeasuredValue::MeasuredValue;
};
using MeasuredStatistics = MeasuredValue<Statistics>;

}  // namespace slipway::runtime
