"""The SQLite file: one connection that writes, numbered migrations, and one module of queries a subject."""
