"""The exit of a training that gets a signal before its loop begins."""

import os
import signal

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h, as after a signal during the training
_before = {}


def install() -> None:
    """Exit with 75 on SIGTERM or SIGUSR1: nothing was trained, so nothing is lost.

    The runner replaces this handler while it trains. Call the function before the slow
    imports.
    """
    for one in SIGNALS:
        _before[one] = signal.signal(one, _exit)


def remove() -> None:
    """Put the earlier handlers back."""
    while _before:
        signal.signal(*_before.popitem())


def _exit(number: int, frame) -> None:
    os.write(
        2,
        f'got {signal.Signals(number).name} before the training began: nothing '
        'is lost, run the same command again\n'.encode(),
    )
    os._exit(TRY_AGAIN)  # an exception could be caught by what is being imported
