"""face_det_lite around the network, in plain NumPy: what the C++ pipeline is compared with.

Rules as published with the model (stride 8, 3×3 peaks, best 2000, threshold 0.55); constants are in constants.py.
"""
