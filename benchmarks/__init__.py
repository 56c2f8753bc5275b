"""What the program's speed is measured with; `make bench` runs it."""
