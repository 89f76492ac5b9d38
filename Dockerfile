# Two images. Without --target, Rekindle with Beam's Python harness: the image of a cluster's workers (docs/clusters.md), and of the launcher
# in a scheduled job. As a worker its entry point is Beam's own (`boot`); as a launcher: docker run --entrypoint rekindle IMAGE backfill …
# Beam's version is the one in constraints.txt: a launcher and its workers must have the same.
#
#   docker build -t registry.example.com/rekindle:TAG .
#
# With it, the service (docs/service.md), whose entry point is `rekindle`:
#
#   docker build --target service -t registry.example.com/rekindle-service:TAG .
#   docker run -p 8080:8080 -v rekindle:/var/lib/rekindle registry.example.com/rekindle-service:TAG
ARG PYTHON_VERSION=3.11
ARG BEAM_VERSION=2.77.0

FROM python:${PYTHON_VERSION}-slim AS service
WORKDIR /src
COPY setup.py pyproject.toml constraints.txt README.md LICENSE ./
COPY pipelines pipelines
COPY service service
COPY transforms transforms
RUN pip install --no-cache-dir -c constraints.txt '.[service]' && rm -rf /src/* \
    && useradd --uid 10001 --create-home --home-dir /var/lib/rekindle rekindle
USER 10001
WORKDIR /var/lib/rekindle
ENV REKINDLE_HOT_TIER=/var/lib/rekindle/hot-tier
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=5)"]
ENTRYPOINT ["rekindle"]
CMD ["serve", "--host=0.0.0.0", "--port=8080"]

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
