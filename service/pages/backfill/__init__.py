"""Backfill: a job from a form, with its preview beside it, and files that are uploaded."""
