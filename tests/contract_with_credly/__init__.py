"""Ask a real Credly what is not established about it: ``make contract``, by whoever has an account on its sandbox."""
