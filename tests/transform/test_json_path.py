from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.json_path import MOST_CHARACTERS, compile_path

ROW = [10, 11, 12, 13, 14, 15, 16]
OBJECT = {
    "id": 7,
    "features": [1, 2],
    "a.b": "dotted",
    "it's": "quoted",
    "größe": 3,
    "inner": {"child1": 1, "child2": 2, "child3": 3},
    "list": [{"x": 1}, {"x": 2}, {"x": 3}],
}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        # The operators' table and the examples of AWS's page on data processing.
        ("$", ROW, ROW),
        ("$", 3, 3),
        ("$.id", OBJECT, 7),
        ("$.inner.*", OBJECT, [1, 2, 3]),
        ("$['id','features']", OBJECT, {"id": 7, "features": [1, 2]}),
        ("$[1]", ROW, 11),
        ("$[1,3,5]", ROW, [11, 13, 15]),
        ("$[2:5]", ROW, [12, 13, 14, 15]),
        ("$[1:4]", ROW, [11, 12, 13, 14]),
        ("$[:5]", ROW, [10, 11, 12, 13, 14, 15]),
        ("$[2:]", ROW, [12, 13, 14, 15, 16]),
        ("$[5:]", ROW, [15, 16]),
        ("$[1:]", ROW, [11, 12, 13, 14, 15, 16]),
        ("$.inner.['child1','child2']", OBJECT, {"child1": 1, "child2": 2}),
        ("$.features", OBJECT, [1, 2]),
        # Those of the API reference of DataProcessing.
        ("$[0,5:]", ROW, [10, 15, 16]),
        ("$[0,-1]", ROW, [10, 16]),
        # The rest of the grammar.
        ("$[-1]", ROW, 16),
        ("$[-2:]", ROW, [15, 16]),
        ("$[0:-1]", ROW, ROW),
        ("$[1:-2]", ROW, [11, 12, 13, 14, 15]),
        ("$[:]", ROW, ROW),
        ("$[:]", [], []),
        ("$[*]", ROW, ROW),
        ("$.*", {"a": 1, "b": 2}, [1, 2]),
        ("$[*]", {"a": 1, "b": 2}, [1, 2]),
        ("$[ 0 , 2 : 3 ]", ROW, [10, 12, 13]),
        ("$['id']", OBJECT, 7),
        ('$["id"]', OBJECT, 7),
        ("$['a.b']", OBJECT, "dotted"),
        ("$['it\\'s']", OBJECT, "quoted"),
        ("$.größe", OBJECT, 3),
        ("$.list[0].x", OBJECT, 1),
        ("$.list[*].x", OBJECT, [1, 2, 3]),
        ("$.list[0,2].x", OBJECT, [1, 3]),
        ("$.list[1:].x", OBJECT, [2, 3]),
        ("$['inner'].child2", OBJECT, 2),
        ("$.inner['child2','child1']", OBJECT, {"child2": 2, "child1": 1}),
        ("$['features','features'][0]", OBJECT, [1]),
        ("$[0,0]", ROW, [10, 10]),
    ],
)
def test_selects(path: str, value: object, expected: object) -> None:
    assert compile_path(path).select(value) == expected


def test_several_names_keep_the_order_of_the_path() -> None:
    selected = compile_path("$['b','a']").select({"a": 1, "b": 2})
    assert list(selected) == ["b", "a"]


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("$[7]", ROW, "JSONPath $[7], character 2: index 7 is outside of an array of 7"),
        ("$[-8]", ROW, "index -8 is outside"),
        ("$[0,7]", ROW, "index 7 is outside"),
        ("$[7:]", ROW, "index 7 is outside"),
        ("$[5:7]", ROW, "index 7 is outside"),
        ("$[:-8]", ROW, "index -8 is outside"),
        ("$.a.b", {"a": {"c": 1}}, "character 4: the object has no 'b', but 'c'"),
        ("$['id','x']", {"id": 1}, "the object has no 'x', but 'id'"),
        ("$.a", {}, "but nothing"),
        ("$.a", [1], "there is no 'a' in an array"),
        ("$[0]", {"a": 1}, "an object has no elements"),
        ("$[0]", "text", "a text has no elements"),
        ("$.a", None, "there is no 'a' in null"),
        ("$.*", True, "there is nothing in true"),
        ("$[*].x", [1.5], "there is no 'x' in a number"),
    ],
)
def test_what_is_not_there_is_an_error_of_the_record(path: str, value: object, reason: str) -> None:
    with pytest.raises(BadRecordError) as error:
        compile_path(path).select(value)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("path", "character", "reason"),
    [
        ("", 1, 'must begin with "$"'),
        ("features", 1, 'must begin with "$"'),
        ("$features", 2, 'expected "." or "["'),
        ("$.", 3, "expected a name"),
        ("$..id", 3, '".." is not supported'),
        ("$.a b", 4, 'expected "." or "["'),
        ("$[", 3, "expected a number"),
        ("$[]", 3, "expected a number"),
        ("$[1", 4, 'the "]" is missing'),
        ("$[1 2]", 5, 'expected "," or "]"'),
        ("$[1,]", 5, "expected a number"),
        ("$[-]", 4, "expected a digit"),
        ("$[a]", 3, "expected a number"),
        ("$[1,'a']", 5, "expected a number"),
        ("$['a',1]", 7, "expected a name in quotes"),
        ("$['a]", 3, "no closing quote"),
        ("$['a\\", 3, "no closing quote"),
        ("$[4:1]", 3, "the slice 4:1 holds nothing"),
        ("$[-1:-3]", 3, "the slice -1:-3 holds nothing"),
        ("$[0:6:2]", 6, "step"),
        ("$[?(@.x>1)]", 3, "expressions are not supported"),
        ("$[(@.length-1)]", 3, "expressions are not supported"),
        ("$[1,*]", 5, "expected a number"),
        ("$.field1.['child1','child2.grandchild']", 9, "cannot reach into members"),
        ("$[0].", 6, "expected a name"),
        ("$ ", 2, 'expected "." or "["'),
    ],
)
def test_refuses(path: str, character: int, reason: str) -> None:
    with pytest.raises(InvalidArgumentError) as error:
        compile_path(path)
    assert f"character {character}: " in str(error.value)
    assert reason in str(error.value)


def test_length() -> None:
    longest = "$." + "n" * (MOST_CHARACTERS - 2)
    assert compile_path(longest).select({longest[2:]: 1}) == 1
    with pytest.raises(InvalidArgumentError, match="has 64 characters; at most 63"):
        compile_path(longest + "n")


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("$", True),
        ("$[0]", True),
        ("$[1:]", True),
        ("$[0,-1]", True),
        ("$[*]", True),
        ("$.*", False),
        ("$.id", False),
        ("$['id']", False),
        ("$[0][1]", False),
    ],
)
def test_which_paths_fit_rows(path: str, fits: bool) -> None:
    assert compile_path(path).fits_rows is fits


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "id"]), inner, max_size=3)
    ),
)


@given(st.text(max_size=70) | st.text("$.[]'\"*,:-0123ab \\?(", max_size=20).map("${}".format))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        assert compile_path(text).text == text
    except InvalidArgumentError as error:
        assert repr(text) in str(error)


@given(
    st.lists(
        st.sampled_from([".a", ".*", "[*]", "['a','b']", "[0]", "[-1]", "[0,1]", "[1:]", "[:0]"]),
        max_size=4,
    ),
    json_values,
)
def test_any_value_is_selected_from_or_is_a_bad_record(steps: list[str], value: object) -> None:
    path = compile_path("$" + "".join(steps))
    try:
        path.select(value)
    except BadRecordError as error:
        assert path.text in str(error)


@given(st.lists(st.integers(), min_size=1), st.data())
def test_slices_are_inclusive(values: list[int], data: Any) -> None:
    last = len(values) - 1
    start = data.draw(st.integers(0, last))
    end = data.draw(st.integers(start, last))
    assert compile_path(f"$[{start}:{end}]").select(values) == [
        values[i] for i in range(len(values)) if start <= i <= end
    ]
