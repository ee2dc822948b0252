#include "pipelines/mediapipe_hand/pipeline.hpp"

#include "pipelines/mediapipe_common/pipeline_definition.hpp"
#include "pipelines/mediapipe_hand/graph.hpp"

template class slipway::pipelines::mediapipe::Pipeline<slipway::pipelines::mediapipe_hand::HandKind>;
