"""Pages for a browser: the learner's badges and widget, and the report."""
