"""The tree is the architecture (docs/architecture.md): who imports whom is read from the sources, so it can't drift."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("service", "pipelines", "transforms")

LAYERS: tuple[tuple[str, ...], ...] = (
    ("service",),
    (
        "pipelines.backfill",
        "pipelines.compact",
        "pipelines.delete",
        "pipelines.promote",
        "pipelines.restore",
        "pipelines.tier",
        "pipelines.undo",
    ),
    ("pipelines.cli",),
    ("pipelines.jobs",),
    ("pipelines.maintenance",),
    ("pipelines.graphs", "pipelines.keys", "pipelines.liveness", "pipelines.runner"),
    ("pipelines.status",),
    ("pipelines.console", "pipelines.documents", "pipelines.units"),
    ("transforms",),
    ("transforms.hot_tier.search", "transforms.hot_tier.ledger", "transforms.hot_tier.maintenance"),
    ("transforms.hot_tier.configuration", "transforms.hot_tier.data"),
    ("transforms.hot_tier.table",),
    ("transforms.objects",),
    ("transforms.event_pipelines",),
    ("transforms.processors", "transforms.retention"),
    ("transforms.codecs", "transforms.formats", "transforms.config_files"),
    ("transforms.query", "transforms.timestamps"),
    ("transforms.arrow", "transforms.storage"),
    ("transforms.core",),
)
"""From the top to the ground, by the longest name that fits. A module imports from its own layer and those below it."""

APART = (
    ("transforms.codecs", "transforms.formats"),
    ("transforms.hot_tier.ledger", "transforms.hot_tier.maintenance"),
    ("transforms.hot_tier.search", "transforms.hot_tier.ledger"),
    ("transforms.hot_tier.search", "transforms.hot_tier.maintenance"),
    ("transforms.formats", "transforms.codecs"),
)
"""Neighbours of one layer, the first of which knows nothing of the second."""

# SDK -> the only modules or packages that import it.
ONLY_IN = {
    "boto3": ("transforms.storage",),
    "botocore": ("transforms.storage",),
    "obstore": ("transforms.storage",),
    "deltalake": ("transforms.hot_tier",),
    "click": ("pipelines.cli",),
}

TABLES = ("transforms/codecs", "transforms/processors")
"""Folders whose modules are each a row of a table: these may hold more than the others."""
MOST_MODULES = 14


@dataclass(frozen=True)
class Import:
    """One imported module, and where."""

    importer: str
    imported: str
    line: str

    def __str__(self) -> str:
        return f"{self.line}: {self.importer} imports {self.imported}"


def sources() -> list[Path]:
    return sorted(path for top in PRODUCT for path in (ROOT / top).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> Mapping[str, Path]:
    return {module_name(path): path for path in sources()}


def is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def layer(module: str) -> int | None:
    """Return the number of the layer that a module of the product belongs to, or None for others' modules."""
    fitting = [(len(name), number) for number, names in enumerate(LAYERS) for name in names if is_below(module, name)]
    return max(fitting)[1] if fitting else None


def imports_of(source: str, importer: str, where: str, *, is_package: bool = False) -> Iterator[Import]:
    """Yield every import of a source: inside functions, under TYPE_CHECKING, and by a name in a text too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, alias.name, f"{where}:{node.lineno}")
        elif isinstance(node, ast.ImportFrom):
            start = ""
            if node.level:
                package = importer.split(".") if is_package else importer.split(".")[:-1]
                start = ".".join(package[: len(package) - node.level + 1])
            origin = ".".join(filter(None, (start, node.module)))
            # `from transforms import storage` names a module, `from transforms.storage import X` a member of one
            for alias in node.names:
                yield Import(importer, f"{origin}.{alias.name}", f"{where}:{node.lineno}")
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[\w.]+(:\w+)?", node.value)
        ):
            named = node.value.partition(":")[0]
            if "." in named and named in modules():
                yield Import(importer, named, f"{where}:{node.lineno}")


def violation(found: Import) -> str | None:
    """Return which rule an import breaks, or None."""
    mine, theirs = layer(found.importer), layer(found.imported)
    if theirs is not None and theirs < (len(LAYERS) if mine is None else mine):
        return f"{found}: a lower layer must not know a higher one"
    if is_below(found.imported, "apache_beam") and mine is not None and mine > layer_of_steps():
        return f"{found}: plain code must not know Beam"
    for sdk, homes in ONLY_IN.items():
        if is_below(found.imported, sdk) and not any(is_below(found.importer, home) for home in homes):
            return f"{found}: only {', '.join(homes)} may"
    for one, other in APART:
        if is_below(found.importer, one) and is_below(found.imported, other):
            return f"{found}: {one} knows nothing of {other}"
    if found.imported.split(".", maxsplit=1)[0] in ("demo", "tests", "benchmarks"):
        return f"{found}: the product must not lean on its demonstration, tests or benchmarks"
    return None


def layer_of_steps() -> int:
    return LAYERS.index(("transforms",))


@cache
def all_imports() -> tuple[Import, ...]:
    return tuple(
        one
        for module, path in modules().items()
        for one in imports_of(
            path.read_text(encoding="utf-8"),
            module,
            str(path.relative_to(ROOT)),
            is_package=path.stem == "__init__",
        )
    )


def module_of(name: str) -> str | None:
    """Return the module of the product that an imported name is, or is a member of."""
    return name if name in modules() else parent if (parent := name.rpartition(".")[0]) in modules() else None


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the first circle of a graph, empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_go_one_way() -> None:
    assert len(all_imports()) > 1000
    assert [broken for one in all_imports() if (broken := violation(one))] == []


def test_no_circle_of_files() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for one in all_imports():
        if (imported := module_of(one.imported)) and imported != one.importer:
            graph[one.importer].add(imported)
    assert circle(graph) == []


def test_no_circle_among_what_a_folder_holds() -> None:
    """The files and folders in a folder, each folder taken as one, import each other in one direction alone."""
    graphs: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in all_imports():
        if imported := module_of(one.imported):
            mine, theirs = _path(one.importer), _path(imported)
            depth = next((n for n, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), None)
            if depth is not None:
                graphs[".".join(mine[:depth])][mine[depth]].add(theirs[depth])
    assert {folder: found for folder, graph in graphs.items() if (found := circle(graph))} == {}


def _path(module: str) -> list[str]:
    parts = module.split(".")
    return [*parts, "__init__"] if modules()[module].stem == "__init__" else parts


def test_no_crowded_folder() -> None:
    counts: dict[str, int] = defaultdict(int)
    for path in sources():
        if path.stem != "__init__":
            counts[str(path.parent.relative_to(ROOT))] += 1
    assert {folder: n for folder, n in counts.items() if n > MOST_MODULES and folder not in TABLES} == {}


def test_steps_are_thin() -> None:
    """What stands directly in `transforms/` are the PTransforms and their elements, short files all."""
    lengths = {path.name: path.read_text(encoding="utf-8").count("\n") for path in (ROOT / "transforms").glob("*.py")}
    assert {name: n for name, n in lengths.items() if n > 160} == {}


def test_documents_have_types() -> None:
    untyped = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "pipelines").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for _ in re.finditer(r"dict\[str, Any\]", line)
    ]
    assert len(untyped) < 10, untyped


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
    forbidden = {"utils", "helpers", "misc", "csv", "json", "queue", "proto", "types", "logging", "time"}
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
        pytest.param("transforms.hot_tier.table.prepare", "from ... import elements", True, id="relative"),
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
        pytest.param(
            "transforms.formats.csv.csv_format", "from transforms.codecs import CODECS", True, id="format-codec"
        ),
        pytest.param("pipelines.cli", "from service import app", True, id="pipelines-service"),
        pytest.param("service.api", "from pipelines import job", False, id="service-pipelines"),
        pytest.param("pipelines.maintenance.delete", "from pipelines.jobs import job", True, id="maintenance-jobs"),
        pytest.param("pipelines.maintenance.delete", "NAME = 'pipelines.cli.main:run'", True, id="by-name-in-a-text"),
        pytest.param(
            "transforms.hot_tier.data.writer", "from transforms.hot_tier.table import delta", False, id="data-table"
        ),
        pytest.param(
            "transforms.hot_tier.table.delta", "from transforms.hot_tier.data import writer", True, id="table-data"
        ),
        pytest.param(
            "transforms.hot_tier.search.sql", "from transforms.hot_tier.ledger import ledger", True, id="search-ledger"
        ),
        pytest.param("pipelines.cli", "from demo.sample_logs import PATTERN", True, id="product-demo"),
    ],
)
def test_the_rules_themselves(importer: str, source: str, *, broken: bool) -> None:
    found = [violation(one) for one in imports_of(source, importer, "here")]
    assert any(found) == broken
