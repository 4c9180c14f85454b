"""``report.html``: how a job went, in one page that can be kept, mailed and opened anywhere.

It is made of nothing but ``job.json`` (`job_record`), so it can also be made later.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.progress import format_bytes
from sagemaker_tensorflow.transform.histogram import HistogramCounts
from sagemaker_tensorflow.transform.job_record import job_folder
from sagemaker_tensorflow.transform.output_store import OutputStore, StoredObject
from sagemaker_tensorflow.transform.progress_line import format_seconds
from sagemaker_tensorflow.transform.report_charts import Bar, bar_chart, row_chart, time_chart
from sagemaker_tensorflow.transform.report_page import card, page, table, tile

_TONES = {"Completed": "good", "CompletedWithErrors": "warn", "Failed": "bad", "Stopped": "warn"}
# A line of more points than pixels only looks like noise.
_MOST_POINTS = 200
_MOST_FAILURES = 200


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
        card("Settings", "", _settings(job)),
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
    total = "?" if objects["Total"] is None else f"{objects['Total']:,}"
    counts = [
        (f"{objects['Done']:,}", f"of {total} objects done"),
        (f"{objects['Skipped']:,}", "objects finished before"),
        (f"{objects['Failed']:,}", "objects failed"),
        (f"{records['Done']:,}", "records"),
        (f"{records['Failed']:,}", "records failed"),
        (format_seconds(progress["Seconds"]), "duration"),
        (f"{records['Done'] / seconds:,.0f}", "records per second"),
        (f"{format_bytes(size['In'] / seconds)}/s", "of input"),
        (format_bytes(size["Out"]), "of results"),
        (f"{progress['Retries']:,}", "calls made again"),
    ]
    return [tile(value, label) for value, label in counts]


def _charts(progress: Mapping[str, Any]) -> list[str]:
    samples, stages = progress["Samples"], progress["StageSeconds"]
    sizes = HistogramCounts.from_json(progress["BatchSizes"])
    times = HistogramCounts.from_json(progress["BatchSeconds"])
    batches = f"{sizes.count:,} calls, {sizes.mean:,.0f} instances each"
    half, most = (_latency(times.quantile(share)) for share in (0.5, 0.99))
    busy = sum(stages.values()) or 1.0
    over_time = [
        ("Records per second", "records", _number),
        ("Input per second", "bytes_in", _size),
        ("Objects per second", "objects", _number),
    ]
    return [
        *(
            card(name, "over the job's time", time_chart(rates(samples, field), name, form))
            for name, field, form in over_time
        ),
        card(
            "Time by stage",
            "of all threads together; stages overlap",
            row_chart(
                [
                    Bar(name, value, f"{_latency(value)}, {value / busy:.0%}")
                    for name, value in stages.items()
                ],
                "seconds by stage",
            ),
        ),
        card("Instances per call", batches, _histogram(sizes, "instances per call", _number)),
        card(
            "Time per call of the model",
            f"half within {half}, 99 % within {most}" if times.count else "",
            _histogram(times, "time per call", _latency),
        ),
    ]


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
    """Samples that are not too close; the first and the last stay."""
    if not samples:
        return []
    last = samples[-1]
    gap = last["seconds"] / _MOST_POINTS
    kept = [samples[0]]
    for sample in samples[1:]:
        if sample["seconds"] - kept[-1]["seconds"] > gap:
            kept.append(sample)
    if kept[-1] is not last and last["seconds"] > kept[-1]["seconds"]:
        # Too close to the one before it, unless that is the first.
        kept[max(1, len(kept) - 1) :] = [last]
    return kept


def _histogram(counts: HistogramCounts, name: str, form: Any) -> str:
    labels = [*map(form, counts.bounds), f"> {form(counts.bounds[-1])}"]
    used = [n for n, count in enumerate(counts.counts) if count]
    if not used:
        return bar_chart([], name, _number)
    return bar_chart(
        [
            Bar(labels[n], counts.counts[n], f"up to {labels[n]}: {counts.counts[n]:,}")
            for n in range(used[0], used[-1] + 1)
        ],
        name,
        _number,
    )


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


def _settings(job: Mapping[str, Any]) -> str:
    shown: dict[str, Any] = {}
    names = ("BatchStrategy", "MaxPayloadInMB", "MaxConcurrentTransforms", "ModelClientConfig")
    for name in names:
        shown[name] = job[name]
    for group in ("TransformInput", "TransformOutput", "DataProcessing", "Settings"):
        shown |= job[group]
    shown["SettingsDigest"] = job["SettingsDigest"]
    rows = [[name, v if isinstance(v, str) else json.dumps(v)] for name, v in shown.items()]
    return table([("Name", False), ("Value", False)], rows)


def _number(value: float) -> str:
    """Short: ``0.25``, ``12``, ``3.5k``, ``2M``."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size and not (unit == "k" and value < 10_000):
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}" if value < 1000 else f"{value:.0f}"


def _size(value: float) -> str:
    return format_bytes(value)


def _latency(seconds: float) -> str:
    if 0 < seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    if 0 < seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 100 else format_seconds(seconds)
