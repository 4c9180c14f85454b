"""``smtf doctor``: what is wrong on this machine or with a bucket, and how fast it can go.

`examination` runs the checks; each other module has those of one subject. It loads the engine into
the process, so it is never imported where TensorFlow is.
"""
