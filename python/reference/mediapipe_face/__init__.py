"""MediaPipe face detection and landmarks around the two networks, in NumPy: what the C++ pipeline is compared with.

The networks are those of the `mediapipe` wheel (Apache-2.0); constants are from its public graph definitions.
"""
