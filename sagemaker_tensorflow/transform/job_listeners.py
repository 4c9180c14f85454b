"""Handlers that hear more of a logger than its level lets through to others.

A log file is to have a job's INFO lines whatever is shown on the terminal. Lowering the logger's
level would show them there too: handlers of the logger, and those above it, have levels of their
own only when somebody set them.
"""

from __future__ import annotations

import logging
import threading


class _AsBefore(logging.Handler):
    """Treats records as the logger did before it was listened to."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logger.getEffectiveLevel())
        self.before = logging.Logger(logger.name, logger.level)
        self.before.handlers = list(logger.handlers)
        self.before.parent = logger.parent
        self.before.propagate = logger.propagate

    def emit(self, record: logging.LogRecord) -> None:
        """Gives it to the handlers of then."""
        self.before.handle(record)

    def restore(self, logger: logging.Logger) -> None:
        """Undoes it, but for handlers that somebody else added since."""
        logger.removeHandler(self)
        logger.handlers[:0] = self.before.handlers
        logger.propagate = self.before.propagate
        logger.setLevel(self.before.level)


class Listeners:
    """The handlers that listen to one logger. Thread-safe."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)
        self._lock = threading.Lock()
        self._listening: list[logging.Handler] = []
        self._as_before: _AsBefore | None = None

    def add(self, handler: logging.Handler, level: int) -> None:
        """Gives `handler` all records of this level and above."""
        with self._lock:
            if self._as_before is None:
                self._as_before = _AsBefore(self._logger)
                self._logger.handlers = [self._as_before]
                self._logger.propagate = False
            self._logger.setLevel(min(level, self._logger.getEffectiveLevel()))
            self._logger.addHandler(handler)
            self._listening.append(handler)

    def remove(self, handler: logging.Handler) -> None:
        """Ends that; with the last one, the logger is what it was."""
        with self._lock:
            self._logger.removeHandler(handler)
            self._listening.remove(handler)
            if not self._listening and self._as_before is not None:
                self._as_before.restore(self._logger)
                self._as_before = None


LISTENERS = Listeners("sagemaker_tensorflow")
