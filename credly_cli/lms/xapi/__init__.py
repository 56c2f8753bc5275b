"""Thought Industries, read through its REST API (``/incoming/v2``)."""
