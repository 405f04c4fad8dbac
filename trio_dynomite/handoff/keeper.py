"""The keeper: the logs of all targets' hints."""

from collections.abc import Callable, Mapping

from attrs import define, field

from trio_dynomite.handoff.hints import HintBudget, HintQueue
from trio_dynomite.handoff.log import Folder, HintLog


@define(eq=False)
class HintKeeper:
    """The logs of one node's hints."""

    budget: HintBudget
    folder_of: Callable[[str], Folder]
    """The files of a target."""
    log: Callable[..., None]
    logs: dict[HintQueue, HintLog] = field(factory=dict)

    def match(self, queues: Mapping[str, HintQueue]) -> None:
        """These are the targets now: those that are new get a log, of those that went nothing stays."""
        for target, queue in queues.items():
            if queue not in self.logs:
                self.logs[queue] = HintLog(target, queue, self.folder_of(target), self.log)
                self.logs[queue].open()
        for queue in self.logs.keys() - set(queues.values()):
            queue.clear()
            self.commit()
            del self.logs[queue]

    def commit(self) -> None:
        """Write the news of a turn."""
        touched = self.budget.touched
        while touched:
            self.logs[touched.pop()].commit()

    def statistics(self) -> dict[str, Callable[[], int]]:
        """What INFO tells of the files."""
        return {
            "hints_log_bytes": lambda: self.size,
            "hints_log_errors": lambda: self.write_errors,
            "hints_log_unread_bytes": lambda: self.unread,
        }

    @property
    def write_errors(self) -> int:
        """Writes that failed."""
        return sum([log.write_errors for log in self.logs.values()])

    @property
    def size(self) -> int:
        """Bytes in all files."""
        return sum([log.size for log in self.logs.values()])

    @property
    def unread(self) -> int:
        """Bytes that told nothing when the logs were opened."""
        return sum([log.unread for log in self.logs.values()])
