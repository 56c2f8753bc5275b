"""What became of the badges that were issued, and of the completions that earned none."""
