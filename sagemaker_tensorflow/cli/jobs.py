"""``smtf jobs``: the training jobs of this user, also those of other processes.

Exit status: 0 done; 1 there is no such job, it does not run any more, or still, or did not stop, or
the record cannot be read; 130 interrupted, which neither stops a job nor takes a request to stop
back; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.cli.number_flags import whole_number
from sagemaker_tensorflow.cli.training_flags import add_jobs_dir_flag
from sagemaker_tensorflow.training.status import STATUSES

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping
    from pathlib import Path

    from sagemaker_tensorflow.training.history.job_store import JobStore
    from sagemaker_tensorflow.training.history.recorded_job import RecordedJob

# How often a log that is followed is looked at.
_FOLLOW_SECONDS = 0.2


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Adds the command's syntax."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "jobs",
        help="list, describe, follow, stop and delete training jobs",
        description="Training jobs that run or ran: of smtf train, and of Python.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add_list(actions)
    _add_describe(actions)
    _add_logs(actions)
    _add_stop(actions)
    _add_delete(actions)
    return parser


def run(args: argparse.Namespace) -> int:
    """Does what the action says."""
    from sagemaker_tensorflow.training.history.job_store import JobStore

    status: int = args.action(JobStore.of_jobs_dir(args.jobs_dir), args)
    return status


def _add_list(actions: Any) -> None:
    parser = _add_action(actions, "list", _list, "jobs, newest first")
    parser.add_argument("--status", choices=STATUSES, help="only of this status")
    parser.add_argument("--max-results", type=whole_number(0), metavar="N", help="at most so many")
    parser.add_argument("--json", action="store_true", help="as ListTrainingJobs answers")


def _add_describe(actions: Any) -> None:
    parser = _add_action(actions, "describe", _describe, "one job, as DescribeTrainingJob does")
    parser.add_argument("name", metavar="NAME", help="of the job")


def _add_logs(actions: Any) -> None:
    parser = _add_action(actions, "logs", _logs, "what a job's script printed")
    add = parser.add_argument
    add("name", metavar="NAME", help="of the job")
    add("-f", "--follow", action="store_true", help="and what it prints, until the job has ended")
    add("--host", metavar="HOST", help="of one host, such as algo-2 (default: all)")
    add(
        "--tail", type=whole_number(0), metavar="N", help="begin with the last N lines of each host"
    )


def _add_stop(actions: Any) -> None:
    parser = _add_action(
        actions, "stop", _stop, "stop a job: SIGTERM for its script, and SIGKILL 120 s later"
    )
    parser.add_argument("name", metavar="NAME", help="of the job")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until it has stopped")


def _add_delete(actions: Any) -> None:
    parser = _add_action(
        actions,
        "delete",
        _delete,
        "remove a job that has ended: its record, its metrics, and the folder of its logs, which "
        "holds its model if it had no output path",
    )
    parser.add_argument("name", metavar="NAME", help="of the job")


def _add_action(actions: Any, name: str, action: Any, help_text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}."
    )
    add_jobs_dir_flag(parser)
    parser.set_defaults(action=action)
    return parser


def _list(store: JobStore, args: argparse.Namespace) -> int:
    jobs = store.list_jobs(args.status, args.max_results)
    if args.json:
        _print_json({"TrainingJobSummaries": [job.summary() for job in jobs]})
    elif jobs:
        _print_table([("NAME", "STATUS", "CREATED", "DURATION"), *map(_row, jobs)])
    elif args.max_results != 0:
        which = f"{args.status} job" if args.status else "job"
        print(f"smtf: there is no {which} in {store.path}", file=sys.stderr)
    return 0


def _row(job: RecordedJob) -> tuple[str, ...]:
    secondary = job.description["SecondaryStatus"]
    status = job.status if secondary == job.status else f"{job.status} ({secondary})"
    created = job.created.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return job.name, status, created, _clock(job.duration)


def _clock(duration: datetime.timedelta) -> str:
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def _describe(store: JobStore, args: argparse.Namespace) -> int:
    _print_json(store.describe(args.name))
    return 0


def _print_json(value: Mapping[str, Any]) -> None:
    from sagemaker_tensorflow.training.history.description_text import description_to_text

    print(description_to_text(value, indent=2))


def _logs(store: JobStore, args: argparse.Namespace) -> int:
    import logging
    import time

    from sagemaker_tensorflow.training.log_follower import LogFollower

    # Who reads no more, as `head` does, needs no warning that nothing more is shown.
    logging.getLogger(LogFollower.__module__).addHandler(logging.NullHandler())
    job = store.job(args.name)
    logs = _chosen_logs(job, args.host)
    follower = LogFollower(logs, sys.stdout, args.tail)
    while args.follow and not (job.has_ended or follower.broken):
        follower.pump()
        time.sleep(_FOLLOW_SECONDS)
        job = store.job(args.name)
    if job.has_ended:
        follower.finish()
    else:
        follower.pump()
    if args.follow:
        reason = job.description.get("FailureReason")
        print(
            f"smtf: {job.name}: {job.status}{': ' if reason else ''}{reason or ''}", file=sys.stderr
        )
    return 0


def _chosen_logs(job: RecordedJob, host: str | None) -> dict[str, Path]:
    from sagemaker_tensorflow.errors import NotFoundError

    logs = job.logs
    if host is None:
        return logs
    if host not in logs:
        raise NotFoundError(f"job {job.name} has no host {host!r}; it has {', '.join(logs)}")
    return {host: logs[host]}


def _stop(store: JobStore, args: argparse.Namespace) -> int:
    status = store.stop(args.name, wait=not args.no_wait)
    if args.no_wait:
        print(f"smtf: {args.name} has been told to stop", file=sys.stderr)
        return 0
    print(f"smtf: {args.name}: {status}", file=sys.stderr)
    return 0 if status in ("Stopped", "Completed") else 1


def _delete(store: JobStore, args: argparse.Namespace) -> int:
    directory = store.job(args.name).directory
    store.delete(args.name)
    print(f"smtf: {args.name} is deleted, and {directory} with it", file=sys.stderr)
    return 0
