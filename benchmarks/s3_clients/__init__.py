"""Clients that the S3 benchmark compares: each reads the same objects, in order, into memory."""
