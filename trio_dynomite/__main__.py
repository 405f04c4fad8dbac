"""`python -m trio_dynomite`: starts the nodes of this machine, runs one node, or checks a configuration.

Imports here are few and late: a signal in the first moments must find somebody who understands it.
"""

import os
import signal
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`; returns the exit code (see `launch.exits`)."""
    _stop_quietly_until_started()
    from trio_dynomite.launch import command_line

    return command_line.run(sys.argv[1:] if argv is None else argv)


def _stop_quietly_until_started() -> None:
    """SIGINT and SIGTERM end the process at once while there is nothing yet to stop in order.

    Without a traceback from the middle of an import, and with the code of a clean stop.
    """
    for signum in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, lambda *_: os._exit(0))


if __name__ == "__main__":
    sys.exit(main())
