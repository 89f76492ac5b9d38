"""Bodies of events: whatever stands between their objects and in their texts, the same events come out."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.hec.envelopes import read_events

TEXTS = st.lists(st.sampled_from(['"', "\\", "{", "}", "}{", ",", "\n", " ", "[", "a", "\N{SNOWMAN}"]), min_size=1).map(
    "".join
)


@given(events=st.lists(TEXTS, min_size=1, max_size=4), data=st.data())
def test_objects_are_read_whatever_stands_between_them(events: list[str], data: st.DataObject) -> None:
    separator = data.draw(st.sampled_from(["", " ", "\n", "\r\n", "\n\n"]))
    shapes: list[dict[str, Any]] = [{}, {"indent": 1}, {"ensure_ascii": False}]
    shape = data.draw(st.sampled_from(shapes))
    objects = [json.dumps({"event": one, "fields": {"k": one}}, **shape) for one in events]
    body = data.draw(st.sampled_from([separator.join(objects), f"[{','.join(objects)}]"]))
    payload = read_events(body.encode())
    assert payload.events == len(events)
    text, found, place = payload.data.decode(), [], 0
    while place < len(text.rstrip()):
        one, place = json.JSONDecoder().raw_decode(text, place + len(text[place:]) - len(text[place:].lstrip()))
        found.append(one["event"])
    assert found == events
