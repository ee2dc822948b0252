#include "pipelines/mediapipe_pose/pipeline.hpp"

#include "pipelines/mediapipe_common/pipeline_definition.hpp"
#include "pipelines/mediapipe_pose/graph.hpp"

template class slipway::pipelines::mediapipe::Pipeline<slipway::pipelines::mediapipe_pose::PoseKind>;
