"""HTTP for every vendor: one origin, bounded, retried where that is safe, and a POST sent once."""
