"""A file a command: its parameters and help, one call of a use case, one rendering."""
