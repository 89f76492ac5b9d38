"""The tree is the architecture (docs/design.md §1): who imports whom is read from the sources, so that it can't
drift.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("service", "pipelines", "transforms")

FOUNDATIONS = frozenset(
    {"transforms.core.names", "transforms.core.schema", "transforms.core.errors", "transforms.core.peeking"}
)
PLAIN_MODULES = frozenset({"transforms.storage", "transforms.timestamps"})
PLAIN_PACKAGES = (
    "arrow",
    "codecs",
    "config_files",
    "event_pipelines",
    "formats",
    "hot_tier",
    "objects",
    "processors",
    "query",
    "retention",
)

# From the top to the ground. A module imports from its own layer and those below it.
LAYERS = ("service", "pipelines", "steps", "plain", "foundations")

# SDK -> the only modules or packages that import it.
ONLY_IN = {
    "boto3": ("transforms.storage",),
    "botocore": ("transforms.storage",),
    "obstore": ("transforms.storage",),
    "deltalake": ("transforms.hot_tier",),
}


@dataclass(frozen=True)
class Import:
    """One imported module, and where."""

    importer: str
    imported: str
    place: str

    def __str__(self) -> str:
        return f"{self.place}: {self.importer} imports {self.imported}"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def layer(module: str) -> str | None:
    """Return the layer that a module of the product belongs to, or None for others' modules."""
    if any(is_below(module, foundation) for foundation in FOUNDATIONS):
        return "foundations"
    if any(
        is_below(module, plain) for plain in (*PLAIN_MODULES, *(f"transforms.{package}" for package in PLAIN_PACKAGES))
    ):
        return "plain"
    top = module.split(".", maxsplit=1)[0]
    return "steps" if top == "transforms" else top if top in LAYERS else None


def imports_of(source: str, importer: str, place: str, *, is_package: bool = False) -> Iterator[Import]:
    """Yield every import of a source, those inside functions and under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, alias.name, f"{place}:{node.lineno}")
        elif isinstance(node, ast.ImportFrom):
            start = ""
            if node.level:
                package = importer.split(".") if is_package else importer.split(".")[:-1]
                start = ".".join(package[: len(package) - node.level + 1])
            origin = ".".join(filter(None, (start, node.module)))
            # `from transforms import storage` names a module, `from transforms.storage import X` a member of one
            for alias in node.names:
                yield Import(importer, f"{origin}.{alias.name}", f"{place}:{node.lineno}")


def violation(found: Import) -> str | None:
    """Say what rule an import breaks, if any."""
    mine, theirs = layer(found.importer), layer(found.imported)
    if theirs and LAYERS.index(theirs) < LAYERS.index(mine or "foundations"):
        return f"{found}: {mine} must not know {theirs}"
    if is_below(found.imported, "apache_beam") and mine in ("plain", "foundations"):
        return f"{found}: plain code must not know Beam"
    for sdk, homes in ONLY_IN.items():
        if is_below(found.imported, sdk) and not any(is_below(found.importer, home) for home in homes):
            return f"{found}: only {', '.join(homes)} may"
    for one, other in (("codecs", "formats"), ("formats", "codecs")):
        if is_below(found.importer, f"transforms.{one}") and is_below(found.imported, f"transforms.{other}"):
            return f"{found}: decompressing and parsing know nothing of each other"
    if found.imported.split(".", maxsplit=1)[0] in ("demo", "tests", "benchmarks"):
        return f"{found}: the product must not lean on its demonstration, tests or benchmarks"
    return None


def sources() -> list[Path]:
    return sorted(path for top in PRODUCT for path in (ROOT / top).rglob("*.py"))


def test_imports_go_one_way() -> None:
    found = [
        one
        for path in sources()
        for one in imports_of(
            path.read_text(encoding="utf-8"),
            module_name(path),
            str(path.relative_to(ROOT)),
            is_package=path.stem == "__init__",
        )
    ]
    assert len(found) > 50
    assert [broken for one in found if (broken := violation(one))] == []


def test_pipelines_compose_and_hold_no_dofn() -> None:
    classes = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sorted((ROOT / "pipelines").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).split(".")[-1] in ("DoFn", "CombineFn") for base in node.bases)
    ]
    assert classes == []


def test_no_module_shadows_the_standard_library_or_is_a_grab_bag() -> None:
    forbidden = {"utils", "helpers", "misc", "common", "csv", "json", "queue", "proto", "types", "logging", "time"}
    assert [str(path.relative_to(ROOT)) for path in sources() if path.stem in forbidden] == []


@pytest.mark.parametrize(
    ("importer", "source", "broken"),
    [
        pytest.param("transforms.codecs.gzip_codec", "import apache_beam as beam", True, id="plain-beam"),
        pytest.param("transforms.read_events", "import apache_beam as beam", False, id="step-beam"),
        pytest.param(
            "transforms.query.parser",
            "def f():\n    from pipelines import cli",
            True,
            id="plain-pipelines-inside-a-function",
        ),
        pytest.param("transforms.read_events", "from pipelines.jobs.job import Job", True, id="step-pipelines"),
        pytest.param(
            "transforms.hot_tier.table.prepare", "from transforms.elements import Split", True, id="plain-step"
        ),
        pytest.param(
            "transforms.hot_tier.table.prepare", "from transforms import elements", True, id="plain-step-by-package"
        ),
        pytest.param(
            "transforms.hot_tier.table.prepare", "from transforms.storage import TierStore", False, id="plain-plain"
        ),
        pytest.param("transforms.hot_tier.table.prepare", "from .. import elements", True, id="relative"),
        pytest.param("transforms.core.schema", "from transforms.storage import TierStore", True, id="foundation-plain"),
        pytest.param("transforms.hot_tier.table.prepare", "import boto3", True, id="sdk-elsewhere"),
        pytest.param("transforms.storage", "import boto3.session", False, id="sdk-at-home"),
        pytest.param("pipelines.jobs.job", "from deltalake import DeltaTable", True, id="deltalake-elsewhere"),
        pytest.param(
            "transforms.hot_tier.ledger.publish",
            "from deltalake.transaction import AddAction",
            False,
            id="deltalake-at-home",
        ),
        pytest.param("transforms.formats.csv.format", "from transforms.codecs import CODECS", True, id="format-codec"),
        pytest.param("pipelines.cli", "from service import app", True, id="pipelines-service"),
        pytest.param("service.api", "from pipelines import job", False, id="service-pipelines"),
        pytest.param("pipelines.cli", "from demo.sample_logs import PATTERN", True, id="product-demo"),
    ],
)
def test_the_rules_themselves(importer: str, source: str, *, broken: bool) -> None:
    found = [violation(one) for one in imports_of(source, importer, "here")]
    assert any(found) == broken
