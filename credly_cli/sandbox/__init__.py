"""Stand-ins of Credly's API and of a learning record store, with state: for tests, the demo and ``credly sandbox``.

``api`` lists what in it is invented because nothing is known of Credly's own behaviour.
"""
