"""The cases of bench_training_modes.py: each module has ``measure(bench)``, which returns JSON."""
