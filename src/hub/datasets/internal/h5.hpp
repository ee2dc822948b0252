#pragma once

#include <optional>
#include <string>
#include <utility>

#include <hdf5.h>

#include "tensor/dtype.hpp"

namespace slipway::hub::datasets::h5 {

/// An open object of libhdf5 with the function that closes it.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  [[nodiscard]] hid_t get() const { return id_; }
  [[nodiscard]] explicit operator bool() const { return id_ >= 0; }
  /// Closes now. @return false: libhdf5 could not write what was pending
  bool reset() {
    if (id_ < 0) return true;
    return close_(std::exchange(id_, H5I_INVALID_HID)) >= 0;
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  herr_t (*close_)(hid_t) = nullptr;
};

/// Keeps libhdf5 from printing and from loading filter plug-ins that a file asks for.
void prepare();

/// The type of a dtype in files (little-endian) and in memory; these are the same on the machines we build for. Bool is
/// the enumeration {FALSE, TRUE} of 8 bits that h5py writes.
[[nodiscard]] Handle type_of(tensor::Dtype dtype);

/// The dtype of a file's type, or nothing when a dataset cannot hold it. Either byte order is read.
[[nodiscard]] std::optional<tensor::Dtype> dtype_of(hid_t type);

/// A file's type in words, e.g. "a float of 64 bits".
[[nodiscard]] std::string describe_type(hid_t type);

/// The innermost message of libhdf5 about the call that failed last.
[[nodiscard]] std::string last_error();

}  // namespace slipway::hub::datasets::h5
