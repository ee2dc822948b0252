"""Numbers of the rules; the tracker in C++ has the same."""

SLOTS = 7                  # memories a frame sees: the prompt's and six others
POINTERS = 16
STABLE_FRAMES = 15         # from here on motion has a say
STABLE_IOU = 0.3
MEMORY_IOU = 0.5
MEMORY_OBJECT_SCORE = 0.0
MEMORY_MOTION = 0.0
MOTION_WEIGHT = 0.25       # tiny, small, base+; the large model's configuration has 0.15

POSITION_NOISE = 1 / 20    # of the height
VELOCITY_NOISE = 1 / 160
ASPECT_NOISE = 1e-2
ASPECT_VELOCITY_NOISE = 1e-5
ASPECT_MEASUREMENT_NOISE = 1e-1
