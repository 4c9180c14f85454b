"""InputFilter, JoinSource and OutputFilter: what a job does around the model.

As https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html describes:
a record is filtered for the model, its result is joined to the record as it was before that, and
what comes out is filtered once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.json_path import JsonPath, compile_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sagemaker_tensorflow.transform.spec import DataProcessing

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
# The types that can be filtered and joined.
PROCESSED_TYPES = (CSV, JSON, JSON_LINES)

# Members that a join makes. A member of the input that is called the same is overwritten.
OUTPUT_MEMBER = "SageMakerOutput"
INPUT_MEMBER = "SageMakerInput"

_JOIN_SOURCES = ("None", "Input")
_SPLIT_TYPES = ("None", "Line")


def validate_data_processing(
    processing: DataProcessing,
    *,
    content_type: str,
    accept: str,
    split_type: str,
    assemble_with: str,
) -> None:
    """Checks that a job can filter and join as it is told to, before it starts.

    Args:
        processing: The filters and the join. Nothing else is checked where it does nothing.
        content_type: Of the records. Parameters, such as a charset, do not count.
        accept: MIME type of the results.
        split_type: The job's SplitType.
        assemble_with: The job's AssembleWith.

    Raises:
        InvalidArgumentError: A filter is no JSONPath of SageMaker's subset or cannot be applied to
            CSV rows; or what is asked for together cannot be; names every reason.
    """
    if processing.join_source not in _JOIN_SOURCES:
        raise InvalidArgumentError(
            f'JoinSource is {processing.join_source!r}; it can be "None" or "Input"'
        )
    if processing.does_nothing:
        return
    content = mime_type(content_type)
    problems = [
        *_type_problems(content, mime_type(accept)),
        *_split_problems(content, split_type, assemble_with),
        *_filter_problems("InputFilter", processing.input_filter, content),
        *_filter_problems("OutputFilter", processing.output_filter, content),
    ]
    if problems:
        raise InvalidArgumentError(f"records cannot be filtered or joined: {'; '.join(problems)}")


def mime_type(text: str) -> str:
    """A MIME type in lower case and without parameters."""
    return text.partition(";")[0].strip().lower()


def _type_problems(content: str, accept: str) -> list[str]:
    if content not in PROCESSED_TYPES:
        return [f"ContentType is {content!r}; it must be one of {', '.join(PROCESSED_TYPES)}"]
    if accept != content:
        return [f"Accept is {accept!r} and ContentType {content!r}; they must be the same"]
    return []


def _split_problems(content: str, split_type: str, assemble_with: str) -> list[str]:
    problems = []
    if split_type not in _SPLIT_TYPES:
        problems.append(f"SplitType is {split_type!r}; it must be Line or None")
    if assemble_with != split_type:
        problems.append(
            f"AssembleWith is {assemble_with!r} and SplitType {split_type!r}; they must be the same"
        )
    elif content == CSV and split_type != "Line":
        problems.append(f"SplitType and AssembleWith must be Line for {CSV}")
    return problems


def _filter_problems(name: str, text: str, content: str) -> list[str]:
    try:
        path = compile_path(text)
    except InvalidArgumentError as error:
        return [f"{name}: {error}"]
    if content == CSV and not path.fits_rows:
        return [f"{name} {text!r}: a CSV row is an array, so it takes a path such as $[0] or $[1:]"]
    return []


class ResultProcessor:
    """Joins results to their records and filters what comes of it. Any threads may share one.

    Args:
        processing: A valid one; see `validate_data_processing`.
        content_type: Of records and results.

    Raises:
        InvalidArgumentError: OutputFilter is not in SageMaker's subset of JSONPath.
    """

    def __init__(self, processing: DataProcessing, content_type: str) -> None:
        self._joins = processing.join_source == "Input"
        self._filter = compile_path(processing.output_filter)
        self._is_csv = mime_type(content_type) == CSV

    def apply(self, originals: Sequence[Any], results: Sequence[Any]) -> list[Any]:
        """Processes the results of consecutive records.

        Args:
            originals: `Decoded.originals`; not looked at when nothing is joined.
            results: What the model gave for each record, in the same order: JSON values, or for CSV
                a row as a list of values or the one value of a row.

        Returns:
            As many values; for CSV, as many rows.

        Raises:
            BadRecordError: OutputFilter names what a result does not have.
            InvalidArgumentError: There are not as many results as records.
        """
        if not self._joins:
            return [self.apply_one(None, result) for result in results]
        if len(originals) != len(results):
            raise InvalidArgumentError(
                f"JoinSource is Input, and the model gave {len(results)} results for"
                f" {len(originals)} records; a join needs one result for each"
            )
        return [self.apply_one(*pair) for pair in zip(originals, results, strict=True)]

    def apply_one(self, original: Any, result: Any) -> Any:
        """The same for one record.

        Raises:
            BadRecordError: OutputFilter names what the result does not have.
        """
        if self._is_csv:
            row = as_row(result)
            return as_row(self._filtered([*original, *row] if self._joins else row))
        return self._filtered(_joined(original, result) if self._joins else result)

    def _filtered(self, value: Any) -> Any:
        return filtered(self._filter, value, "OutputFilter")


def as_row(value: Any) -> list[Any]:
    """What a filter leaves of a CSV row, as a row: a single column is no list."""
    return value if isinstance(value, list) else [value]


def filtered(path: JsonPath, value: Any, parameter: str) -> Any:
    """Applies the filter of a parameter, such as ``"InputFilter"``, to one record.

    Raises:
        BadRecordError: The record has not got what the path names.
    """
    try:
        return path.select(value)
    except BadRecordError as error:
        raise BadRecordError(f"{parameter}: {error}") from None


def _joined(original: Any, result: Any) -> dict[str, Any]:
    if isinstance(original, dict):
        return {**original, OUTPUT_MEMBER: result}
    return {INPUT_MEMBER: original, OUTPUT_MEMBER: result}
