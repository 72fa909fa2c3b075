"""A bulk job that can be stopped: rows as they come, resumed by the same command."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from gada.errors import ConfigError, DataError
from gada.io.files import atomic_path, check_writable, unwritable
from gada.io.pixels import Decoding
from gada.io.records import Row
from gada.scoring.rows import WRITERS, import_pyarrow
from gada.scoring.scorer import Scorer

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def job_of(scorer: Scorer, paths: Iterable[str], decoding: Decoding) -> Row:
    """Return what tells one job from another: model, crops, paths, and how samples are read.

    Relative paths count from where they were given. The limit of pixels decides only which files fail, and those are
    tried again.
    """
    given = {path: os.path.abspath(path) for path in paths}  # noqa: PTH100  # a pattern is not a path
    return {
        "model": scorer.model,
        "mode": scorer.protocol(),
        "float_range": list(decoding.float_range) if decoding.float_range else None,
        "white": decoding.white,
        "paths": given,
    }


class Journal:
    """Rows as they come, in `OUT.partial`; `finish` turns them into `OUT`.

    Its first line is the job. What a stopped job scored is kept; what it failed at is tried again.

    Args:
        out: a .csv, .jsonl or .parquet file.
        job: whose rows they are, as `job_of` says; the journal of another job is refused.

    Raises:
        ConfigError: if the suffix is another, a package is missing, or the journal is another job's or damaged.
        DataError: if the journal cannot be written.
    """

    def __init__(self, out: Path, job: Row) -> None:
        if out.suffix not in WRITERS:
            raise ConfigError(f"--out is {out} but must end in {', '.join(WRITERS)}.")
        if out.suffix == ".parquet":
            import_pyarrow()
        self.out = out
        check_writable(out)
        self.path = out.with_name(f"{out.name}.partial")
        self.before: Counter[str] = Counter()  # rows of a stopped job that no image has claimed
        self.lines = 0  # rows of a stopped job, failures included
        self.taken = self.added = self.failed = 0
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            self.file = self.path.open("a+b")
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            self._lock()
            if not self._resume(job):
                self._write(job)
        except (ConfigError, DataError):
            self.__exit__()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what could not be written was said already
            self.file.close()

    def _lock(self) -> None:
        """Lock the journal against other processes; the system lifts the lock when this one ends."""
        if fcntl is None:
            return
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{self.path} is being written by another job; wait, or give another --out.") from None
        except OSError:  # a file system without locks
            return
        if not os.fstat(self.file.fileno()).st_nlink:
            raise ConfigError(f"another job has just ended with {self.out}; give another --out, or run it again.")

    def _resume(self, job: Row) -> bool:
        """Read the rows of a stopped job, if there is one; a line that was cut off is dropped."""
        self.file.seek(0)
        end = 0
        for line in self.file:
            if not line.endswith(b"\n"):
                break
            try:
                content = dict(json.loads(line))
                if end:
                    self.lines += 1
                    self.before[content["image"]] += content["error"] is None
            except (ValueError, TypeError, KeyError) as error:
                raise ConfigError(f"{self.path} is damaged; delete it to score all images anew.") from error
            if not end:
                self._compare(content, job)
            end += len(line)
        self.file.truncate(end)
        return end > 0

    def _compare(self, was: Row, job: Row) -> None:
        """Raise ConfigError if the journal is another job's."""
        if other := next((key for key in job if was.get(key) != job[key]), None):
            what = "other paths" if other == "paths" else f"another {other} ({was.get(other)})"
            raise ConfigError(f"{self.path} is of a job with {what}; delete it, or give another --out.")

    def has(self, name: str) -> bool:
        """Return whether a stopped job scored this image; each of its rows counts for one image of the name."""
        if not self.before[name]:
            return False
        self.before[name] -= 1
        self.taken += 1
        return True

    def add(self, row: Row) -> None:
        """Write one row."""
        self._write(row)
        self.added += 1
        self.failed += row["error"] is not None

    def _write(self, content: Row) -> None:
        try:
            self.file.write(json.dumps(content, allow_nan=False).encode() + b"\n")
            self.file.flush()
        except OSError as error:
            raise unwritable(self.path, error, "free some space; the same command resumes where it stopped") from error

    def finish(self) -> None:
        """Write `OUT`, and remove the journal."""
        try:
            os.fsync(self.file.fileno())
            if fcntl is None:  # Windows removes no open file
                self.file.close()  # elsewhere the lock lasts until the journal is gone
        except OSError as error:
            raise unwritable(self.path, error) from error
        with self.path.open(encoding="utf-8") as lines, atomic_path(self.out) as temporary:
            WRITERS[self.out.suffix](temporary, self._wanted(lines))
        self.path.unlink()

    def _wanted(self, lines: Iterable[str]) -> Iterator[Row]:
        """Yield the rows without what a stopped job failed at, and without images that are not named any more."""
        for number, line in enumerate(lines):
            row = json.loads(line)
            if number > self.lines:
                yield row
            elif number and row["error"] is None:
                if self.before[row["image"]]:
                    self.before[row["image"]] -= 1
                else:
                    yield row
