"""A job's hosts as actors of a Ray cluster."""
