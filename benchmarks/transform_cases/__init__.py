"""The cases of bench_transform.py: each has ``measure(bench)``, which returns JSON."""
