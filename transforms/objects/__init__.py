"""One object, from its key to its events: plain functions that know neither Beam nor the hot tier.

In the order in which a job calls them:

| module | what for |
|---|---|
| `discovery/` | which objects a job takes, and for which of its sources |
| `parts`, `measure_range` | where a large object can be cut |
| `yearless_stamps` | the years of stamps that name none, by the order of the object |
| `read_object`, `reading`, `event_columns` | bytes to batches of events |
| `inherited_times/` | what a batch's first lines may have their time from |
| `event_shaping`, `event_counts`, `event_tally` | pipelines and times, and what is counted on the way |
| `joined/` | small objects whose events are shaped together |
| `outcomes`, `record_problems` | what became of an object, and what was wrong with its records |
| `reading_digest` | what an object was read with, to know it again |
| `sampling/` | the beginning of an object, for the plan and the preview |
"""
