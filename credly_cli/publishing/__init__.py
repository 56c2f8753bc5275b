"""A page for every learner, from the store alone (R35)."""
