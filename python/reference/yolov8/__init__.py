"""YOLOv8 around the network, in plain NumPy: what the C++ pipeline is compared with."""
