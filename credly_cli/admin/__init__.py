"""Keeping it running: status, doctor, profiles, forget, the log file."""
