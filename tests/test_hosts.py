from __future__ import annotations

from collections.abc import Sequence

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.hosts import HostPlace


def test_one_host_without_names() -> None:
    assert HostPlace.among(None, None) == HostPlace(index=0, count=1)


def test_every_host_has_a_place_of_its_own_whatever_the_order() -> None:
    names = ["algo-2", "algo-1", "algo-10"]
    places = [HostPlace.among(names, name) for name in names]
    assert sorted(place.index for place in places) == [0, 1, 2]
    assert [HostPlace.among(names[::-1], name) for name in names] == places


@pytest.mark.parametrize(
    ("hosts", "current", "says"),
    [
        (["a"], None, "both or neither"),
        (None, "a", "both or neither"),
        (["a", "b"], "c", "current_host='c' is none of hosts: a, b"),
        ([], "c", "none of hosts"),
        (["a", "a"], "a", "each host's name once"),
        ("ab", "a", "give a list"),
    ],
)
def test_what_does_not_fit(hosts: Sequence[str] | None, current: str | None, says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        HostPlace.among(hosts, current)
