"""Connections that wait for a request, but not for ever.

uvicorn's own options bound how long an idle connection is kept, how large a header may be and how many requests run
at once, but none bounds how long a header may trickle in.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_WITHIN = 5.0  # seconds


class Impatient(H11Protocol):
    """Closes a connection on which no whole request header comes in time; uvicorn itself would wait for ever."""

    deadline: asyncio.TimerHandle

    def connection_made(self, transport: Any) -> None:
        """Start to wait for the first request."""
        super().connection_made(transport)
        self.wait()

    def on_response_complete(self) -> None:
        """Start to wait for the next request."""
        super().on_response_complete()
        self.deadline.cancel()
        self.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self.deadline.cancel()
        super().connection_lost(exc)

    def wait(self) -> None:
        """Close the connection later, unless a request is at work by then."""
        self.deadline = self.loop.call_later(HEADERS_WITHIN, self.give_up)

    def give_up(self) -> None:
        """Close the connection if it has no request at work."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
