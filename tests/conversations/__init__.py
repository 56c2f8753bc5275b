"""What people type and what the program says, to the letter: a text file a story."""
