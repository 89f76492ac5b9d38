"""The generated pages of docs/ are those of the code."""

from __future__ import annotations

import pytest

from scripts.make_docs import GENERATORS, ROOT


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == GENERATORS[name](), "run `make docs`"
