"""Benchmarks: the reference workloads, the product beside a bare loop and its peers.

`make bench`; figures in RESULTS.md.
"""
