"""The command line's own: failures become messages and exit codes; what commands share; completion."""
