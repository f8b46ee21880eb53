"""Sending: every receiver at the same time, for a limited time, and why one did not take its message, without a secret."""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import TYPE_CHECKING

from driftmon.notifications.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from driftmon.notifications.message import Message
    from driftmon.notifications.receivers import Receiver

__all__ = ["PATIENCE", "send"]

PATIENCE = 12.0
"""Seconds that all receivers together have to answer: a check never waits longer for them."""

THREAD = "driftmon-notification"
"""Name of the threads in which Apprise works for us."""


def send(messages: Mapping[Receiver, Message], *, patience: float = PATIENCE) -> dict[Receiver, str | None]:
    """
    Send each receiver its message, all at the same time.

    Returns
    -------
    dict of Receiver to str or None
        None if it was taken, else why not, in words without a secret.
    """
    outcomes: dict[Receiver, str | None] = {}
    deadline = time.monotonic() + patience
    threads = {receiver: _started(_delivery(receiver, message, outcomes)) for receiver, message in messages.items()}
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    # A copy: a thread that is late may still write into it.
    answered = dict(outcomes)
    return {receiver: answered.get(receiver, f"no answer in {patience:g} s") for receiver in messages}


def _delivery(receiver: Receiver, message: Message, outcomes: dict[Receiver, str | None]) -> Callable[[], None]:
    def deliver() -> None:
        with quiet() as said:
            outcomes[receiver] = _failure(receiver, message, said)

    return deliver


def _failure(receiver: Receiver, message: Message, said: list[logging.LogRecord]) -> str | None:
    """Send one message; None if it was taken."""
    from apprise import Apprise, NotifyFormat, NotifyType  # noqa: PLC0415 - an optional package, and slow to load

    kinds = {None: NotifyType.SUCCESS, "warning": NotifyType.WARNING, "critical": NotifyType.FAILURE}
    one = Apprise(asset=receiver.service.asset)
    one.add(receiver.service)
    try:
        taken = one.notify(
            body=message.body,
            title=message.title,
            notify_type=kinds[message.severity],
            body_format=NotifyFormat.HTML if message.html else NotifyFormat.TEXT,
        )
    except Exception as exc:  # noqa: BLE001 - whatever a plugin raises; its words can hold the address
        return type(exc).__name__
    return None if taken else _why(said)


def _why(said: list[logging.LogRecord]) -> str:
    """What Apprise logged of a failure, as far as it cannot hold a secret: an HTTP status, or that nobody answered."""
    text = "\n".join(record.getMessage() for record in said if record.levelno >= logging.WARNING)
    if status := re.search(r"error=(\d{3})\b", text):
        return f"answered with HTTP status {status[1]}"
    if re.search("connection error|socket exception", text, re.IGNORECASE):
        return "cannot be reached, or did not answer in time"
    return "refused the message"


def _started(work: Callable[[], None]) -> threading.Thread:
    # A daemon: one that hangs does not keep the process.
    thread = threading.Thread(target=work, name=THREAD, daemon=True)
    thread.start()
    return thread
