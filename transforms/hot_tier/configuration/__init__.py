"""What a hot tier keeps of its own: holds and event pipelines, in numbered versions (docs/hot-tier.md)."""
