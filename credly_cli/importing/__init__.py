"""An LMS's records into the store: who is who, what is meant."""
