"""AssembleWith: the responses of an object become its one result."""

from __future__ import annotations

from typing import Protocol

from sagemaker_tensorflow.errors import InvalidArgumentError


class LineEnding(Protocol):
    """Whatever makes responses, such as an `Encoder`."""

    @property
    def ends_lines(self) -> bool:
        """Every response already ends in a line feed."""


class Assembler:
    r"""Puts the responses of objects together. Has no state, so one serves all objects.

    - ``"None"``: responses one after the other, as they are. So JSON responses of several payloads
      are ``{...}{...}``, which `json.JSONDecoder.raw_decode` can read and most tools cannot.
    - ``"Line"``: a line feed after every response, the last one too.

    The lines of jsonlines and CSV end in line feeds of their own: with ``"Line"`` there is no
    second one, and with ``"None"`` the records of consecutive payloads are still on lines of their
    own.
    A payload that gave no response, as all of its records failed, leaves no empty line.

    Args:
        assemble_with: ``"None"`` or ``"Line"``.
        encoder: What makes the responses.

    Raises:
        InvalidArgumentError: `assemble_with` is something else.
    """

    def __init__(self, assemble_with: str, encoder: LineEnding) -> None:
        if assemble_with not in ("None", "Line"):
            raise InvalidArgumentError(f"assemble_with={assemble_with!r} is not one of None, Line")
        self._adds_lines = assemble_with == "Line" and not encoder.ends_lines

    def response(self, body: bytes) -> bytes:
        """What follows in the result for the next response, in the order of the payloads."""
        return body + b"\n" if body and self._adds_lines else body
