# Rekindle with Beam's Python harness: the image of a cluster's workers (docs/clusters.md), and of the launcher in a scheduled job.
#
#   docker build -t registry.example.com/rekindle:TAG .
#
# As a worker its entry point is Beam's own (`boot`); as a launcher: docker run --entrypoint rekindle IMAGE backfill …
# Beam's version is the one in constraints.txt: a launcher and its workers must have the same.
ARG PYTHON_VERSION=3.11
ARG BEAM_VERSION=2.77.0
FROM apache/beam_python${PYTHON_VERSION}_sdk:${BEAM_VERSION}

WORKDIR /src
COPY setup.py pyproject.toml constraints.txt README.md LICENSE ./
COPY pipelines pipelines
COPY service service
COPY transforms transforms
RUN pip install --no-cache-dir -c constraints.txt . && rm -rf /src/*

# A worker runs several bundles side by side: one thread of Polars each, as the launcher has it.
ENV POLARS_MAX_THREADS=1
WORKDIR /
