"""Exactly one badge: planning, sending, settling, and what a person grants or decides by hand."""
