"""One object, from its key to its events: plain functions that know neither Beam nor the hot tier.

In the order in which a job calls them:

| module | what for |
|---|---|
| `discovery/` | which objects a job takes, and for which of its sources |
| `parts`, `measure_range` | where a large object can be cut |
| `read_object`, `reading`, `event_columns` | bytes to batches of events |
| `preceding_records` | what a batch's first lines may have their time from |
| `event_shaping`, `event_counts` | pipelines and times, and what is counted on the way |
| `outcomes` | what became of an object |
| `sample_object`, `preview_object` | the beginning of an object, for the plan and the preview |
"""
