"""What a hot tier keeps of its own: holds, event pipelines and rules, in numbered versions (docs/hot-tier.md)."""
