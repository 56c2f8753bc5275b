"""Keeping an installation in order: where it stands, what ails it, and whom it is to forget."""
