"""What is done with published events: deletion, restore, moving between tiers, compaction, physical removal
(docs/design.md §9).
"""
