"""Connections that wait for a request, but not for ever."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_WITHIN = 5.0  # seconds


class Impatient(H11Protocol):
    """Closes a connection on which no whole request header comes in time; uvicorn itself would wait for ever."""

    deadline: asyncio.TimerHandle

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self.wait()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self.deadline.cancel()
        self.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self.deadline.cancel()
        super().connection_lost(exc)

    def wait(self) -> None:
        """Close the connection later, unless a request is at work by then."""
        self.deadline = self.loop.call_later(HEADERS_WITHIN, self.give_up)

    def give_up(self) -> None:
        """Close the connection if it has no request at work."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
