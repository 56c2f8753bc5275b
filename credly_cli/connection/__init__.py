"""Connecting an organization, and leaving it."""
