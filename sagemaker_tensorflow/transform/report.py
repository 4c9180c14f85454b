"""``report.html``: how a job went, in one page that can be kept, mailed and opened anywhere.

It is made of nothing but ``job.json`` (`job_record`), so it can also be made later.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.progress import format_bytes
from sagemaker_tensorflow.transform.histogram import LATENCY_BOUNDS, HistogramCounts
from sagemaker_tensorflow.transform.job_record import job_folder
from sagemaker_tensorflow.transform.output_store import OutputStore, StoredObject
from sagemaker_tensorflow.transform.quantities import counted, latency, short_number
from sagemaker_tensorflow.transform.report_charts import (
    Bar,
    Format,
    histogram,
    row_chart,
    time_chart,
)
from sagemaker_tensorflow.transform.report_page import card, page, table, tile
from sagemaker_tensorflow.transform.report_settings import settings_rows

_TONES = {"Completed": "good", "CompletedWithErrors": "warn", "Failed": "bad", "Stopped": "warn"}
# A line of more points than pixels only looks like noise.
_MOST_POINTS = 200
_MOST_FAILURES = 200
# Of the usual time between samples: what is shorter is the rest of a job that ended within one.
_WHOLE_STRETCH = 0.99


def write_report(store: OutputStore, job: Mapping[str, Any]) -> StoredObject:
    """Writes a job's report beside its record.

    Raises:
        InvalidArgumentError: `job` is no such record.
        PipeModeDatasetException: It cannot be written.
    """
    name = f"{job_folder(job['TransformJobName'])}report.html"
    writer = store.writer(name, "text/html; charset=utf-8")
    try:
        writer.write(render_report(job).encode("utf-8", "backslashreplace"))
        return writer.commit()
    finally:
        writer.abort()


def render_report(job: Mapping[str, Any]) -> str:
    """The page, from the content of ``job.json``.

    Raises:
        InvalidArgumentError: `job` is no such content.
    """
    try:
        return _render(job)
    except (KeyError, TypeError, IndexError) as error:
        raise InvalidArgumentError(
            f"this is no job.json of a transform job, or one of another version: {error!r}"
        ) from error


def _render(job: Mapping[str, Any]) -> str:
    progress = job["Progress"]
    parts = [_header(job)]
    reason = job.get("FailureReason")
    if reason:
        tone = _tone(job["TransformJobStatus"])
        parts.append(f'<div class="card reason {tone}"><span>{escape(reason)}</span></div>')
    parts += [
        f'<div class="tiles">{"".join(_tiles(progress))}</div>',
        f'<div class="charts">{"".join(_charts(progress))}</div>',
        _failures(progress["Failures"], progress["Objects"]["WithErrors"]),
        card("Settings", "", table([("Name", False), ("Value", False)], settings_rows(job))),
    ]
    return page(f"{job['TransformJobName']}: {job['TransformJobStatus']}", "\n".join(parts))


def _header(job: Mapping[str, Any]) -> str:
    status = job["TransformJobStatus"]
    source = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    begun = _moment(job.get("TransformStartTime", job["CreationTime"]))
    ended = _moment(job["TransformEndTime"]) if "TransformEndTime" in job else "not ended yet"
    return (
        f"<header><h1>{escape(job['TransformJobName'])}</h1>"
        f'<span class="status {_tone(status)}">{escape(status)}</span>'
        f"<p>{escape(job['ModelName'])} over {escape(source)} to "
        f"{escape(job['TransformOutput']['S3OutputPath'])}</p>"
        f"<p>{escape(begun)} to {escape(ended)}</p></header>"
    )


def _tone(status: str) -> str:
    """The class of a colour; none for a job that goes on."""
    return _TONES.get(status, "")


def _moment(text: str) -> str:
    """To the second; times in the record are UTC."""
    return f"{text[:10]} {text[11:19]} UTC"


def _tiles(progress: Mapping[str, Any]) -> list[str]:
    objects, records, size = progress["Objects"], progress["Records"], progress["Bytes"]
    seconds = progress["Seconds"] or 1.0
    total = "? objects" if objects["Total"] is None else counted(objects["Total"], "object")
    return [
        tile(f"{objects['Done']:,}", f"of {total} done"),
        _count_tile(objects["Skipped"], "object", "finished before"),
        _count_tile(objects["Failed"], "object", "failed", "bad"),
        _count_tile(records["Done"], "record", "done"),
        _count_tile(records["Failed"], "record", "failed", "bad"),
        tile(latency(progress["Seconds"]), "duration"),
        tile(short_number(records["Done"] / seconds), "records per second"),
        tile(f"{format_bytes(size['In'] / seconds)}/s", "of input"),
        tile(format_bytes(size["Out"]), "of results"),
        _count_tile(progress["Retries"], "call", "made again"),
    ]


def _count_tile(count: int, noun: str, what: str, tone: str = "") -> str:
    number, _, noun = counted(count, noun).partition(" ")
    return tile(number, f"{noun} {what}", tone if count else "")


def _charts(progress: Mapping[str, Any]) -> list[str]:
    samples, stages = progress["Samples"], progress["StageSeconds"]
    busy = sum(stages.values()) or 1.0
    over_time: list[tuple[str, str, Format]] = [
        ("Records per second", "records", short_number),
        ("Input per second", "bytes_in", format_bytes),
        ("Objects per second", "objects", short_number),
    ]
    return [
        *(
            card(
                name,
                "over the job's time",
                time_chart(rates(samples, field), name, form, whole=field == "bytes_in"),
            )
            for name, field, form in over_time
        ),
        card(
            "Time by stage",
            "of all threads together; stages overlap",
            row_chart(
                [
                    Bar(name, value, f"{latency(value)}, {value / busy:.0%}")
                    for name, value in stages.items()
                ],
                "seconds by stage",
            ),
        ),
        *_call_charts(progress),
    ]


def _call_charts(progress: Mapping[str, Any]) -> list[str]:
    sizes = HistogramCounts.from_json(progress["BatchSizes"])
    times = HistogramCounts.from_json(progress["BatchSeconds"])
    half, most = (_bound(times.quantile(share)) for share in (0.5, 0.99))
    return [
        card(
            "Calls of the model by instances",
            _mean_size(sizes),
            _histogram(sizes, "calls of the model by instances", short_number),
        ),
        card(
            "Calls of the model by duration",
            f"half took {half}, 99 % {most}" if times.count else "",
            _histogram(times, "calls of the model by duration", latency),
        ),
    ]


def _mean_size(sizes: HistogramCounts) -> str:
    instances = counted(round(sizes.mean), "instance")
    if sizes.count < 2:
        return f"1 call of {instances}" if sizes.count else ""
    return f"{counted(sizes.count, 'call')}, {instances} each on average"


def _bound(seconds: float) -> str:
    return f"≤ {latency(seconds)}" if math.isfinite(seconds) else f"> {latency(LATENCY_BOUNDS[-1])}"


def rates(samples: Sequence[Mapping[str, float]], field: str) -> list[tuple[float, float]]:
    """Seconds, and how fast a counter rose up to them, beginning with its first rate at 0.

    Args:
        samples: ``Samples`` of the record.
        field: The counter.
    """
    kept = _thinned(samples)
    points = [
        (after["seconds"], (after[field] - before[field]) / (after["seconds"] - before["seconds"]))
        for before, after in itertools.pairwise(kept)
    ]
    return [(0.0, points[0][1]), *points] if points else []


def _thinned(samples: Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
    """Samples that are not too close; the first and the last stay.

    The last is taken when the job ends, which is some part of a second after the one before it.
    Alone that part would tell of nothing but how a job is wound up, so it is counted to the stretch
    before it.
    """
    if not samples:
        return []
    last = samples[-1]
    gap = last["seconds"] / _MOST_POINTS
    kept = [samples[0]]
    for sample in samples[1:-1]:
        if sample["seconds"] - kept[-1]["seconds"] > gap:
            kept.append(sample)
    if len(kept) > 1:
        usual = (kept[-1]["seconds"] - kept[0]["seconds"]) / (len(kept) - 1)
        if last["seconds"] - kept[-1]["seconds"] < _WHOLE_STRETCH * usual:
            kept.pop()
    return [*kept, last] if last["seconds"] > kept[-1]["seconds"] else kept


def _histogram(counts: HistogramCounts, name: str, form: Callable[[float], str]) -> str:
    used = [n for n, count in enumerate(counts.counts) if count]
    if not used:
        return histogram([], "", name, short_number)
    shown = range(used[0], used[-1] + 1)
    edges = ["0", *map(form, counts.bounds), "more"]
    bars = [
        Bar(
            edges[n + 1],
            counts.counts[n],
            f"{_range(edges, n)}: {counted(counts.counts[n], 'call')}",
        )
        for n in shown
    ]
    return histogram(bars, edges[used[0]], name, short_number)


def _range(edges: Sequence[str], n: int) -> str:
    """Of a bar: lower bounds are not in it, upper ones are."""
    if n == len(edges) - 2:
        return f"more than {edges[n]}"
    return f"up to {edges[n + 1]}" if n == 0 else f"more than {edges[n]}, up to {edges[n + 1]}"


def _failures(failures: Sequence[Mapping[str, Any]], all_failures: int) -> str:
    if not failures:
        return card("Failures", "", '<p class="nothing">None.</p>')
    shown = failures[:_MOST_FAILURES]
    rows = [
        [
            failure["name"],
            "no result" if failure["failed"] else "others kept",
            f"{failure['failed_records']:,}",
            "; ".join(failure["reasons"]),
        ]
        for failure in shown
    ]
    note = f"the first {len(shown)} of {all_failures:,}" if len(shown) < all_failures else ""
    columns = [("Object", False), ("Outcome", False), ("Bad records", True), ("Causes", False)]
    return card("Failures", note, table(columns, rows))
