"""A run: badges, the LMS, issued badges, grants; a file a step."""
