"""A stand-in for Credly's API with state, for tests, for the demo and for ``credly sandbox``."""
