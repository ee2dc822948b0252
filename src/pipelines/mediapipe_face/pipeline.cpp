#include "pipelines/mediapipe_face/pipeline.hpp"

#include "pipelines/mediapipe_common/pipeline_definition.hpp"
#include "pipelines/mediapipe_face/graph.hpp"

template class slipway::pipelines::mediapipe::Pipeline<slipway::pipelines::mediapipe_face::FaceKind>;
