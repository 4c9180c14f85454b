"""What a script saves, kept beyond its job."""
