"""Learners, content, progress and access as an LMS tells them; every source yields the same records."""
