"""What the tests of maintenance share."""

from __future__ import annotations

import pytest

from pipelines.maintenance.rewriter import Rewriter
from tests.pipelines.maintenance.execute_here import execute_here


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry tasks out right here, without Beam."""
    monkeypatch.setattr(Rewriter, "_run", execute_here)
