from __future__ import annotations

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.output_keys import check_collisions, errors_name, output_name
from tests.transform.inputs import make_object, make_objects


@pytest.mark.parametrize("relative", ["a.csv", "deep/er/x.tfrecord", "größe 1%/é+&.jpg", "x.out"])
def test_names_of_results(relative: str) -> None:
    assert output_name(make_object(relative)) == f"{relative}.out"
    assert errors_name(make_object(relative)) == f"{relative}.errors.jsonl"


def test_names_apart_pass() -> None:
    check_collisions(make_objects("a", "a.out", "b/a", "b/c/a", "..c", ".hidden/d"), local=True)
    check_collisions([], local=True)


def test_two_inputs_with_one_result() -> None:
    objects = make_objects("a", "b", "a")
    with pytest.raises(InvalidArgumentError, match=r"1 cases: s3://in/data/a and .*'a\.out'"):
        check_collisions(objects)


def test_five_pairs_are_named() -> None:
    names = [f"n{n}" for n in range(8)]
    with pytest.raises(InvalidArgumentError, match="in 8 cases") as caught:
        check_collisions(make_objects(*names, *names))
    message = str(caught.value)
    assert [f"'n{n}.out'" in message for n in range(8)] == [True] * 5 + [False] * 3
    assert "and 3 more" in message


def test_our_own_folder_is_reserved() -> None:
    with pytest.raises(InvalidArgumentError, match="reserved"):
        check_collisions(make_objects("ok", ".smtf-transform/x/job.json"))


@pytest.mark.parametrize(
    ("relative", "says"),
    [
        ("/etc/passwd", "absolute"),
        ("../x", "leaves the folder"),
        ("a/../../x", "leaves the folder"),
        ("a//b", "'//'"),
        ("a/./b", "'//'"),
        ("a\0b", "zero byte"),
        ("é" * 122, "255 bytes"),  # with .out it fits, with .errors.jsonl it does not
    ],
)
def test_names_that_only_keys_can_have(relative: str, says: str) -> None:
    objects = make_objects("fine", relative)
    check_collisions(objects)
    with pytest.raises(InvalidArgumentError, match=says):
        check_collisions(objects, local=True)


@pytest.mark.parametrize("inner", ["a.out/b", "a.out/b/c", "a.errors.jsonl/b"])
def test_a_result_that_would_be_a_folder(inner: str) -> None:
    objects = make_objects(inner, "a")
    check_collisions(objects)
    with pytest.raises(InvalidArgumentError, match="has to be") as caught:
        check_collisions(objects, local=True)
    assert f"s3://in/data/{inner}" in str(caught.value)
