"""SAMURAI tracking over SAM 2.1: the rules in double precision (`kalman`, `rules`; NumPy alone) and the loop around the
networks in PyTorch (`tracker`). Facts: github.com/yangchris11/samurai at 76ba195 and github.com/facebookresearch/sam2.
"""
