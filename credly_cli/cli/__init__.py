"""The command line's own parts: the group that turns failures into messages, options, environment, completion."""
