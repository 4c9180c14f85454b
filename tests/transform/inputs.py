"""Input objects for tests."""

from __future__ import annotations

from sagemaker_tensorflow.transform.records import InputObject


def make_object(relative: str, index: int = 0, size: int = 100, etag: str = '"e"') -> InputObject:
    return InputObject(index, f"s3://in/data/{relative}", f"data/{relative}", relative, size, etag)


def make_objects(*relative: str) -> list[InputObject]:
    return [make_object(name, index) for index, name in enumerate(relative)]
