"""Credly's API: its records, its lists, and the client that makes each of its calls."""
