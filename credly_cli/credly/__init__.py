"""Credly's API: records, and the client that is the only place with HTTP."""
