"""Tasks for several processors: done by processes forked from this one, each of which sends back what comes of its own.

Forked, since that takes two milliseconds where a fresh Python takes fifty, and what is to be done need not be sent.
`multiprocessing` would take longer to import than it takes to search a thousand files.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, NoReturn, TypeVar

    Task = TypeVar("Task")
    Result = TypeVar("Result")

__all__ = ["Lost", "processors", "spread"]


def processors() -> int:
    """How many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def can_fork() -> bool:
    """Whether a copy of this process would work: of several threads it has but one, and locks that the others hold."""
    threading = sys.modules.get("threading")
    return hasattr(os, "fork") and (threading is None or threading.active_count() == 1)


class Lost:
    """In the place of a result: the process that was to give it has ended. `how` completes that sentence."""

    __slots__ = ("how",)

    def __init__(self, status: int | None) -> None:
        if status is None:
            self.how = "for an unknown reason"
        else:
            self.how = f"by signal {-status}" if status < 0 else f"with exit code {status}"


def spread(
    job: Callable[[Task], Result], tasks: Iterable[Task], size: int, kin: Callable[[Task], object] = lambda _: None
) -> Iterator[tuple[Task, Result | Lost]]:
    """Each of `tasks`, which are begun in their order, with what `job` makes of it, as soon as that is there.

    Tasks of the same `kin` go to the same process as long as there are others for the others: it need not learn twice
    what they have in common.

    Up to `size` processes are at work; where there can be none, or but one, it is this process. Tasks and results are
    pickled; `job` is not, and should raise nothing. When the iterator is closed the processes are gone, whatever they
    were doing.
    """
    crew = _Crew(job, size if size > 1 and can_fork() else 0, kin)
    waiting = list(tasks)[::-1]
    done: list[tuple[Task, Result | Lost]] = []
    try:
        while True:
            crew.hire(len(waiting))
            crew.give(waiting)
            yield from done
            if crew.is_busy:
                done = crew.finished()
            elif waiting:
                task = waiting.pop()
                done = [(task, job(task))]
            else:
                return
    finally:
        crew.end()


class _Crew:
    """Up to `size` processes that do a job."""

    __slots__ = ("_job", "_kin", "_size", "_workers")

    def __init__(self, job: Callable[[Any], Any], size: int, kin: Callable[[Any], object]) -> None:
        self._job = job
        self._size = size
        self._kin = kin
        self._workers: list[_Worker] = []

    @property
    def is_busy(self) -> bool:
        """Whether any of them has a task."""
        return any(worker.is_busy for worker in self._workers)

    def hire(self, waiting: int) -> None:
        """Start those that are missing, if so many tasks are `waiting` for them."""
        idle = sum(not worker.is_busy for worker in self._workers)
        for _ in range(min(self._size - len(self._workers), waiting - idle)):
            try:
                self._workers.append(_Worker(self._job, self._workers))
            except OSError:  # there may be no more processes, or no memory for one: those there are will do
                self._size = len(self._workers)
                return

    def give(self, waiting: list[Any]) -> None:
        """Give each that is idle one of the tasks `waiting`, of which the last is the first."""
        for worker in [worker for worker in self._workers if not worker.is_busy]:
            if waiting:
                index = self._choice(worker, waiting)
                try:
                    worker.begin(waiting[index], self._kin(waiting[index]))
                    del waiting[index]
                except OSError:  # it has ended while it had nothing to do
                    self._dismiss(worker)

    def _choice(self, worker: _Worker, waiting: Sequence[Any]) -> int:
        """Which of the tasks a worker gets: the first kin to its last one, or else to none that others did last."""
        others = {other.kin for other in self._workers if other is not worker and other.kin != worker.kin}
        free = -1
        for index in range(len(waiting) - 1, -1, -1):
            kin = self._kin(waiting[index])
            if kin == worker.kin:
                return index
            if free < 0 and kin not in others:
                free = index
        return free

    def finished(self) -> list[tuple[Any, Any]]:
        """Tasks that are done, each with its result, or Lost. Waits for the first one."""
        return [self._finish(worker) for worker in _ready([worker for worker in self._workers if worker.is_busy])]

    def _finish(self, worker: _Worker) -> tuple[Any, Any]:
        task = worker.task
        try:
            return task, worker.result()
        except Exception:  # EOFError, or whatever half a result looks like
            return task, Lost(self._dismiss(worker))

    def _dismiss(self, worker: _Worker) -> int | None:
        self._workers.remove(worker)
        return worker.end()

    def end(self) -> None:
        """Be rid of them all."""
        while self._workers:
            self._workers.pop().end()


class _Worker:
    """A process that does tasks, one at a time, and how to reach it. `task` is what it is at while it `is_busy`, `kin`
    what that has in common with others, or its last one had.
    """

    __slots__ = ("_pid", "_results", "_tasks", "is_busy", "kin", "task")

    def __init__(self, job: Callable[[Any], Any], others: Sequence[_Worker]) -> None:
        """Fork this process. Raises OSError where that cannot be done."""
        from signal import SIGINT, SIG_BLOCK, SIG_SETMASK, pthread_sigmask

        ends: list[int] = []
        mask = pthread_sigmask(SIG_BLOCK, [SIGINT])  # the copy must not be interrupted while it takes itself for us
        try:
            ends += (*os.pipe(), *os.pipe())
            self._pid = os.fork()
            if not self._pid:
                tasks, send, receive, results = ends
                _serve(job, tasks, results, [send, receive, *(end for other in others for end in other.ends())])
        except OSError:
            for end in ends:
                os.close(end)
            raise
        finally:
            pthread_sigmask(SIG_SETMASK, mask)
        tasks, send, receive, results = ends
        os.close(tasks)
        os.close(results)
        self._tasks = open(send, "wb", buffering=0)  # noqa: SIM115
        self._results = open(receive, "rb")  # noqa: SIM115
        self.is_busy = False
        self.task: Any = None
        self.kin: object = None

    def ends(self) -> tuple[int, int]:
        """The descriptors by which this process reaches it."""
        return self._tasks.fileno(), self._results.fileno()

    def begin(self, task: Any, kin: object) -> None:
        """Give it a task. Raises OSError where it is no longer there."""
        from pickle import dumps

        self._tasks.write(dumps(task))
        self.is_busy, self.task, self.kin = True, task, kin

    def result(self) -> Any:
        """What came of its task, once that is there. Raises an exception of some kind where it has ended before."""
        from pickle import load

        result = load(self._results)
        self.is_busy, self.task = False, None
        return result

    def end(self) -> int | None:
        """Be rid of it, if it is still there. Its exit code: negative where a signal ended it, None if not known."""
        self._tasks.close()
        self._results.close()
        try:
            ended, status = os.waitpid(self._pid, os.WNOHANG)
            if not ended:
                os.kill(self._pid, 9)
                _, status = os.waitpid(self._pid, 0)
        except ChildProcessError:  # this process was started by one that wants to hear of no children
            return None
        return os.waitstatus_to_exitcode(status)


def _ready(workers: Sequence[_Worker]) -> list[_Worker]:
    """Those that have something to say, be it that they have ended; waits for the first one."""
    import select

    poll = select.poll()
    by_end = {worker.ends()[1]: worker for worker in workers}
    for end in by_end:
        poll.register(end, select.POLLIN)
    return [by_end[end] for end, _ in poll.poll()]


def _serve(job: Callable[[Any], Any], tasks: int, results: int, others: Sequence[int]) -> NoReturn:
    """The life of a worker: until there are no more tasks, or nobody is left who wants a result."""
    import signal
    from pickle import dump, load

    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all: who has started us sees to our end
        for end in others:  # held open here, they would keep the others from seeing that nobody is left
            os.close(end)
        # neither is closed before the process is gone: it would be taken for gone, and its exit code not waited for
        source, sink = open(tasks, "rb"), open(results, "wb")  # noqa: SIM115
        while True:
            dump(job(load(source)), sink)
            sink.flush()
    except EOFError:
        status = 0
    finally:
        os._exit(status)  # what the process was about that this one is a copy of is not to be finished here
