"""MediaPipe pose around the two networks, in NumPy: what the C++ pipeline is compared with. Constants are from the
public graph definitions of the `mediapipe` wheel (Apache-2.0)."""
