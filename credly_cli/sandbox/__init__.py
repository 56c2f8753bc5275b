"""A stand-in for Credly's API with state, for tests, for the demo and for ``credly sandbox``.

``api`` lists what in it is invented because nothing is known of Credly's own behaviour.
"""
