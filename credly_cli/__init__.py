"""Join a learning management system to Credly: whoever completes linked content gets exactly one badge."""

__version__ = "0.1.0"
