"""A batch as one stand-alone page: figures, charts, tables, and every document's diff."""
