"""The cases of bench_s3_stream.py: each module has ``measure(bench)``, which returns JSON."""
