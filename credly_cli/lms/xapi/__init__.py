"""Learning record stores, read through the statement API of xAPI."""
