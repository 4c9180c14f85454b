"""Which jobs give the same results: those whose settings have the same digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json

from sagemaker_tensorflow.transform.spec import TransformSpec

# What an object's result depends on, besides the object and the model. Not among them: how fast it
# is made (batch size, concurrency, XLA, time limits), where from and where to. Those that are may
# change the last bits of a float; who wants such results anew overwrites.
_FIELDS = (
    "signature",
    "content_type",
    "compression",
    "split_type",
    "strategy",
    "max_payload_bytes",
    "accept",
    "assemble_with",
    "data_processing",
    "on_error",
    "mixed_precision",
    "environment",
)
# Raised when this package begins to write something else for the same settings.
_RESULTS_VERSION = 1


def settings_digest(spec: TransformSpec, model_identity: str) -> str:
    """SHA-256, in hexadecimal, of all settings that change results.

    Args:
        spec: With defaults filled in: what they stand for counts, not that they were left out.
        model_identity: Differs when the model does, such as the ETag of its archive, or a digest of
            its files' names, sizes and times. Its path alone does not.
    """
    values = dataclasses.asdict(spec)
    settings = {name: values[name] for name in _FIELDS}
    settings["environment"] = sorted(spec.environment)
    settings |= {"model": model_identity, "version": _RESULTS_VERSION}
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
