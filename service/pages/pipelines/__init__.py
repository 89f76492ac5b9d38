"""Pipelines: an editor with mistakes in place, a test on sample events, versions, and what ships ready made."""
