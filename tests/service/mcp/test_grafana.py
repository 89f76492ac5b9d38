"""The example dashboard for Grafana: each of its calls is made, and has what its panel shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.service.conftest import Api

DASHBOARD = json.loads((Path(__file__).parents[3] / "docs/examples/grafana-dashboard.json").read_text("utf-8"))
VARIABLES = {
    "query": "GET",
    "field": "status",
    "__from:date:iso": "2025-01-01T00:00:00.000Z",
    "__to:date:iso": "2025-01-03T00:00:00.000Z",
}
"""What Grafana has in their places."""


def targets() -> list[Any]:
    """Return the calls of the panels and of the variables."""
    found = [
        pytest.param(target, id=panel["title"].split(" $")[0])
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    ]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            found.append(pytest.param(variable["query"]["infinityQuery"], id=variable["name"]))
    return found


def filled_in(text: str) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: VARIABLES[found[1]], text)


def select(document: Any, path: str) -> list[Any]:
    """Return the rows at a path such as `facets[0].values`; a single object is a row."""
    for step in re.findall(r"[A-Za-z]+|\d+", path):
        document = document[int(step) if step.isdigit() else step]
    return document if isinstance(document, list) else [document]


@pytest.mark.parametrize("target", targets())
def test_a_call_of_the_dashboard(filled: Api, target: dict[str, Any]) -> None:
    assert (target["source"], target["url_options"]["method"]) == ("url", "GET")
    params = {one["key"]: filled_in(one["value"]) for one in target["url_options"]["params"]}
    answer = filled.ask("GET", target["url"], params=params)
    assert answer.status_code == 200, answer.text
    rows = select(answer.json(), target["root_selector"])
    assert rows
    known = {name for row in rows for name in row}
    shown = {column["selector"] for column in target["columns"]}
    assert shown - known <= {"level"}, "these events have no level"


def test_its_panels_have_places_and_use_its_variables() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    named = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{([a-z]+)\}", json.dumps(DASHBOARD["panels"])))
    assert used == named
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        columns, rows = (range(place[at], place[at] + place[size]) for at, size in (("x", "w"), ("y", "h")))
        cells = {(x, y) for x in columns for y in rows}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
