#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace slipway::hub::storage {

/// The content that collections have to leave although no row speaks of it yet, by SHA-256. Whoever keeps content holds
/// it until its row is written; no clock is asked, so that setting one ends nothing.
/// @thread safe from any thread; a Hold belongs to one at a time
class HeldContent {
 public:
  /// What one pin holds, for as long as this lives.
  class Hold {
   public:
    explicit Hold(HeldContent& all) : all_(all) {}
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    void add(const std::string& sha256);

   private:
    HeldContent& all_;
    std::vector<std::string> own_;
  };

  /// Lives from before a collection asks for the rows to the end of its work. What was held at any moment in between
  /// counts as held to that end: its row may have been written after the collection had asked.
  class Collection {
   public:
    explicit Collection(HeldContent& all);
    ~Collection();
    Collection(const Collection&) = delete;
    Collection& operator=(const Collection&) = delete;

   private:
    HeldContent& all_;
  };

  [[nodiscard]] bool contains(const std::string& sha256) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> holders_;  ///< 0: let go while somebody collects
  std::size_t collections_ = 0;
};

}  // namespace slipway::hub::storage
