"""What is installed: every package and data file of ours, in versions that constraints.txt names.

Started by one console script.
"""

from __future__ import annotations

import ast
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("pipelines", "service", "transforms")


@pytest.fixture(name="setup")
def fixture_setup(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What setup.py hands to setuptools."""
    handed: dict[str, Any] = {}
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("setuptools.setup", handed.update)
    runpy.run_path(str(ROOT / "setup.py"))
    return handed


def constraints() -> dict[str, Requirement]:
    """Return the line of constraints.txt that holds for this Python, by name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    every = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(one.name): one for one in every if one.marker is None or one.marker.evaluate()}


def test_every_folder_with_code_is_a_package(setup: dict[str, Any]) -> None:
    folders = {".".join(path.parent.relative_to(ROOT).parts) for top in PACKAGES for path in (ROOT / top).rglob("*.py")}
    assert set(setup["packages"]) == folders


@pytest.mark.skipif(sys.version_info < (3, 11), reason="importlib.metadata knows too few packages' modules on 3.10")
def test_what_the_product_imports_is_required_by_name(setup: dict[str, Any]) -> None:
    """A package that only comes along with another one is gone one day.

    With that one's next version or in an install without extras.
    """
    required = {canonicalize_name(Requirement(text).name) for text in setup["install_requires"]}
    required.add(canonicalize_name("botocore"))  # boto3's other half
    extra = {canonicalize_name(Requirement(text).name) for text in setup["extras_require"]["service"]}
    named = {"pipelines": required, "service": required | extra, "transforms": required}
    homes = {
        **packages_distributions(),
        "_duckdb": ["duckdb"],
    }  # an extension module, which this does not look at before Python 3.12
    unnamed = {
        f"{path.relative_to(ROOT)}: {module}"
        for top in PACKAGES
        for path in (ROOT / top).rglob("*.py")
        for module in imported_modules(path) - sys.stdlib_module_names - {*PACKAGES}
        if not named[top] & {canonicalize_name(home) for home in homes.get(module, [])}
    }
    assert unnamed == set()


def imported_modules(path: Path) -> set[str]:
    """Return the top-level names of what a source imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    members = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.split(".")[0] for name in plain | members}


def test_every_other_file_is_package_data(setup: dict[str, Any]) -> None:
    everywhere = setup["package_data"][""]
    named = {
        path
        for package, patterns in setup["package_data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
        if package
    }
    others = [
        path.relative_to(ROOT)
        for top in PACKAGES
        for path in (ROOT / top).rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and path.name != "README.md"  # the contracts, for contributors
        and path not in named
        and not any(fnmatch(path.name, pattern) for pattern in everywhere)
    ]
    assert others == []


def test_constraints_pin_all_that_is_installed(setup: dict[str, Any]) -> None:
    """Follow the installed packages' own requirements from setup.py's.

    A package that is missing may come in any version.
    """
    pinned = constraints()
    queue = [Requirement(text) for text in [*setup["install_requires"], *setup["extras_require"]["dev"]]]
    seen: set[tuple[str, frozenset[str]]] = set()
    missing = set()
    while queue:
        wanted = queue.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        if name not in pinned:
            missing.add(name)
        extras = ["", *wanted.extras]
        queue += [
            one
            for one in map(Requirement, _requires(name))
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras)
        ]
    assert missing == set()
    assert len(seen) > 40


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:  # not installed: its requirements can't be seen from here
        return []


def test_constraints_satisfy_setup(setup: dict[str, Any]) -> None:
    pinned = constraints()
    wanted = [
        Requirement(text)
        for text in [*setup["install_requires"], *(one for extra in setup["extras_require"].values() for one in extra)]
    ]
    unmet = [
        str(one)
        for one in wanted
        if not all(one.specifier.contains(pin.version) for pin in pinned[canonicalize_name(one.name)].specifier)
    ]
    assert unmet == []


def test_constraints_are_exact() -> None:
    assert [str(one) for one in constraints().values() if [pin.operator for pin in one.specifier] != ["=="]] == []


def test_the_console_script_names_a_function(setup: dict[str, Any]) -> None:
    assert setup["entry_points"]["console_scripts"] == ["rekindle = pipelines.cli.__main__:main"]
    assert "def main()" in (ROOT / "pipelines" / "cli" / "__main__.py").read_text(), (
        "not imported: it is for the start of a program"
    )


@pytest.fixture(name="wheel", scope="module")
def fixture_wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel of a copy of the checkout, for building leaves files about."""
    copy = tmp_path_factory.mktemp("copy")
    for name in (*PACKAGES, "demo", "benchmarks"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "work"))
    shutil.copytree(ROOT / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__", "data"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = "import sys\nfrom setuptools.build_meta import build_wheel\nbuild_wheel(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", build, "dist"], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = (copy / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as file:
        yield file


def test_the_wheel_holds_the_product_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    product = {
        path.relative_to(ROOT).as_posix()
        for top in PACKAGES
        for path in (ROOT / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "README.md"
    }
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == product
    assert {"pipelines/py.typed", "service/py.typed", "transforms/py.typed"} <= product


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile, setup: dict[str, Any]) -> None:
    (folder,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    metadata = message_from_bytes(wheel.read(f"{folder}/METADATA"))
    assert (metadata["Name"], metadata["Version"], metadata["Author"]) == (
        "rekindle",
        setup["version"],
        "Rekindle contributors",
    )
    assert (metadata["License-Expression"], metadata["License-File"]) == ("Apache-2.0", "LICENSE")
    assert wheel.read(f"{folder}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert metadata.get_payload(decode=True) == (ROOT / "README.md").read_bytes()
    assert {
        "Typing :: Typed",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.13",
    } <= set(metadata.get_all("Classifier", []))


def test_the_version_stands_in_one_place(setup: dict[str, Any]) -> None:
    """In setup.py, and in the list of changes once there is one of that version."""
    texts = [
        *ROOT.glob("[!.]*"),
        *(path for top in (*PACKAGES, "demo", "docs", "scripts") for path in (ROOT / top).rglob("*")),
    ]
    named = re.compile(rf"(?<![\w.=]){re.escape(setup['version'])}(?![\w.])")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in texts
        if path.suffix in (".py", ".md", ".toml", ".sh", ".yaml", "")
        and path.is_file()
        and named.search(path.read_text(encoding="utf-8"))
    }
    assert found - {"CHANGELOG.md"} == {"setup.py"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["backfill", "--help"], ["search", "--help"], ["jobs", "show", "an-id"]], ids=" ".join
)
def test_short_commands_do_not_import_beam(arguments: list[str], tmp_path: Path) -> None:
    """Importing Beam takes 1.4 s: who asks for help does not wait for it."""
    program = (
        "import sys\nfrom pipelines.cli.main import main\n"
        f"try:\n    main({arguments!r})\n"
        "except SystemExit as end:\n    assert end.code in (0, 2), end.code\n"
        "assert 'apache_beam' not in sys.modules, 'Beam was imported'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
