"""Linking badges to content, and what a name means."""
