"""A tier whose n-th call that changes or reads something fails, as if the process had been killed there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transforms.storage import TierStore

COUNTED = frozenset({"put", "put_new", "get", "exists", "list", "delete", "open_output", "open_input", "delta_options"})


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Failing:
    """Hands calls on to a tier, and raises at the n-th; with `after`, once it is done."""

    def __init__(self, tier: TierStore, number: int, *, after: bool = False) -> None:
        self._tier = tier
        self._left = number
        self._after = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tier, name)
        return self._counted(found) if name in COUNTED else found

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            if self._left < 0:
                raise Killed
            result = call(*args, **named)
            if self._left == 0:
                raise Killed
            return result

        return counted
