"""What tests of several folders stand on: the desk, the stand-in of Credly with its faults, processes."""
