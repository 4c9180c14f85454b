"""Batch transform: a SavedModel over any amount of data, one result object per input object."""
