#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace slipway::hub::server::internal {

/// Who may hold a connection.
///
/// Whoever has shown a valid token or link is known and keeps the slot. All others are strangers, and of strangers that
/// keep the server waiting (for a header, for a body, for the reply to be taken) there may be only so many, of one
/// address and in all: the one that has kept it waiting longest makes room for the next. An honest client sends its
/// request at once and is never the one that waits longest, so half-sent requests take no slot from it, whatever
/// address they come from.
/// @thread safe from any thread; what closes a connection is called from inside, and must only post it
class ConnectionSlots {
 public:
  struct Limits {
    std::size_t all;
    std::size_t waiting_strangers;
    std::size_t waiting_strangers_of_an_address;
  };
  class Slot;

  explicit ConnectionSlots(Limits limits) : limits_(limits) {}

  /// A stranger has come and is waited for.
  /// @param close  asks its connection to close itself
  /// @return its slot, which goes before this object does; nothing: every slot is taken by somebody known or being
  ///         served
  [[nodiscard]] std::unique_ptr<Slot> arrive(std::string_view address, std::function<void()> close);

 private:
  struct Holder {
    std::string owner;
    std::function<void()> close;
    std::uint64_t waits_since = 0;  ///< a count; 0: it is being served
    bool is_known = false;
    bool is_leaving = false;
  };

  /// For one more waiting stranger of this owner; `newcomers`: how many places it needs besides (it may have one).
  /// @return false when nobody can be asked to leave
  bool make_room(const std::string& owner, std::size_t newcomers);
  Holder* longest_waiting(const std::string* owner);

  Limits limits_;
  std::mutex mutex_;
  std::uint64_t count_ = 0;
  std::list<Holder> holders_;
};

/// One connection's place. Dropping it frees the place.
class ConnectionSlots::Slot {
 public:
  Slot(ConnectionSlots& slots, std::list<Holder>::iterator holder) : slots_(slots), holder_(holder) {}
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  /// The other side is waited for.
  void waits();
  /// The server itself is at work for it.
  void is_served();
  /// It has shown a valid token or link.
  void becomes_known();
  [[nodiscard]] bool is_known() const;

 private:
  ConnectionSlots& slots_;
  std::list<Holder>::iterator holder_;
};

}  // namespace slipway::hub::server::internal
