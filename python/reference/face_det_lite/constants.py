"""What surrounds the network."""

WIDTH, HEIGHT = 640, 480  # of the input
STRIDE = 8  # input pixels a heatmap cell
SCORE_MIN = 0.55
MOST_PEAKS = 2000
EVALUATOR_IOU_MAX = 0.2  # the app itself suppresses nothing beyond the 3×3 peaks
LUMA = (0.2125, 0.7154, 0.0721)
LUMA_UNIT = 10000
GROWTH = 0.05  # on each side
