"""A request with one thing changed, for tests of what is done about that."""

from __future__ import annotations

import copy
from typing import Any


def with_value(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a dotted path; a value of ... takes the field away."""
    changed = copy.deepcopy(request)
    *parents, last = path.split(".")
    at: Any = changed
    for name in parents:
        at = at[int(name)] if name.isdigit() else at[name]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return changed
