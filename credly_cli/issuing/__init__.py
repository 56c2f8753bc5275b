"""Exactly one badge: plan, send, reconcile, and what a person grants or resolves by hand."""
