"""Packaging: what is installed, and what each extra is for.

Workers on Flink, Spark and Dataflow get the code by `--setup_file` too.

The bounds below say what the code works with, `constraints.txt` which versions are installed: `pip install -c
constraints.txt '.[demo]'`.
"""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent

# Why each of these, and what else was measured: docs/dependencies.md.
REQUIRES = [
    "apache-beam[aws]>=2.77,<3",
    "grpcio",  # Beam's own, which has bounds for it
    "pyarrow>=21,<26",  # Beam's own bound
    "duckdb>=1.4,<3",
    "numpy>=2.2,<3",
    "polars>=2.0,<3",
    "deltalake==1.6.6",  # its commit path is relied on in detail (docs/decisions/0004-commit-by-compare-and-swap.md)
    "arro3-core>=0.8,<1",  # deltalake's own: reads the log without pyarrow
    "boto3>=1.40,<2",
    "obstore>=0.11,<0.13",
    "isal>=1.7,<2",
    "zstandard>=0.23,<1",
    "brotli>=1.2,<2",  # bounds its output from 1.2 on
    "lz4>=4.4,<5",
    "cramjam>=2.11,<3",
    "ncompress>=1.0.2,<2",
    "orjson>=3.10,<4",
    "PyYAML>=6,<7",
    "pydantic>=2.10,<3",
    "click>=8.5,<9",
    "rich>=13.9,<16",
    "tzdata",  # time zones by name, on machines without a zone database
    "setuptools>=77",  # with it Beam's `--setup_file` packs the code for the workers of a cluster
]

DEMO = ["moto[server]>=5.1,<6"]
SERVICE = [
    "fastapi>=0.160,<1",
    "starlette>=1.7,<2",
    "anyio>=4.10,<5",
    "uvicorn>=0.50,<1",
    "h11>=0.16,<1",  # uvicorn's own
    "prometheus-client>=0.23,<1",
    "python-multipart>=0.0.20,<1",
    "mcp>=2.3,<3",
    "jinja2>=3.1,<4",
]
TEST = [
    *DEMO,
    *SERVICE,
    "httpx2>=2.10,<3",
    "pytest>=8.3,<10",
    "pytest-xdist>=3.6,<4",
    "pytest-cov>=6,<8",
    "pytest-timeout>=2.3,<3",
    "hypothesis>=6.115,<7",
    "pandas>=2.2,<4",
    "schemathesis>=4.3,<5",
    "playwright>=1.49,<2",
    "axe-playwright-python>=0.1.6,<0.2",
]
BENCH = [*DEMO, "chdb>=3"]
DEV = [*TEST, "ruff>=0.14", "mypy>=1.18", "types-PyYAML"]

setup(
    name="rekindle",
    version="0.1.0",  # nowhere else: the program asks for the installed package's
    description="Turns cold logs in S3 into a hot tier of partitioned Parquet that any SQL engine can read",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="Rekindle contributors",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    keywords=["logs", "s3", "parquet", "delta-lake", "apache-beam", "backfill", "splunk", "retention"],
    python_requires=">=3.10",
    # Not demo, benchmarks and tests: others have packages of these names, and the product needs none of them.
    packages=find_packages(include=["pipelines", "pipelines.*", "service", "service.*", "transforms", "transforms.*"]),
    package_data={
        "": ["*.yaml", "*.json", "py.typed"],
        "service.pages": ["templates/*.html", "templates/*/*.html", "static/*", "static/licences/*"],
    },
    install_requires=REQUIRES,
    extras_require={"demo": DEMO, "service": SERVICE, "test": TEST, "bench": BENCH, "dev": DEV},
    entry_points={"console_scripts": ["rekindle = pipelines.cli.__main__:main"]},
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Information Technology",
        "Intended Audience :: System Administrators",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in (10, 11, 12, 13)),
        "Topic :: Database",
        "Topic :: System :: Archiving",
        "Topic :: System :: Logging",
        "Typing :: Typed",
    ],
)
