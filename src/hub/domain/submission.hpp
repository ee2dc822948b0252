#pragma once

#include <string>
#include <vector>

#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

/// A submission as the wire gives it; the kind says which fields count.
struct Submission {
  JobKind kind = JobKind::kCompile;
  std::string name;
  std::string model_id;
  std::vector<Device> devices;  ///< name, os and attributes as the client sends them
  std::string options;
  InputSpecs input_specs;
  std::string dataset_id;  ///< inputs or calibration data
  bool is_profiling = false;
  bool answer_as_profile_job = false;
  std::string project_id;
};

}  // namespace slipway::hub::domain
