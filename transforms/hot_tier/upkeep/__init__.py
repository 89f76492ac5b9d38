"""What is done to a published table: deletion, tiering, compaction, restoring (spec §8, §9, §10)."""
