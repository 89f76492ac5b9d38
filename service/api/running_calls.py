"""Calls that may be canceled by another request of their client."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import anyio


class RunningCalls:
    """The calls that run in this process, by their names; for the event loop's thread alone."""

    def __init__(self) -> None:
        """Begin without calls."""
        self._scopes: dict[Hashable, anyio.CancelScope] = {}

    @contextmanager
    def running(self, name: Hashable | None) -> Iterator[anyio.CancelScope]:
        """Let a block be canceled by its name; where another runs by the same, only the newer one is."""
        with anyio.CancelScope() as scope:
            if name is not None:
                self._scopes[name] = scope
            try:
                yield scope
            finally:
                if name is not None and self._scopes.get(name) is scope:
                    del self._scopes[name]

    def cancel(self, name: Hashable) -> None:
        """Cancel a call, if it runs here."""
        if scope := self._scopes.get(name):
            scope.cancel()
