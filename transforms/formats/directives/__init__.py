"""Logs whose header is lines of directives, `#Fields: …`: a line is an event, its cells are attributes by the header.

What is a directive and what it changes is the format's (`w3c_format.py`, `zeek_format.py`); cells, sections and ranges
are the same for both.
"""
