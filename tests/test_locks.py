"""A lock is complete, has hashes, and is installed without resolving: no new release changes it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = {"requirements.lock": ("demo",), "requirements-dev.lock": ("demo", "dev")}
LOCKS = (*EXTRAS, "tests/warehouse/duckdb-1.lock")
SCRIPTS = (
    ".ci/run",
    "docs/deploy/Dockerfile",
    "docs/deploy/README.md",
    "README.md",
    "CONTRIBUTING.md",
)
PYTHONS = [
    text.rpartition(" ")[2]
    for text in PROJECT["classifiers"]
    if text.startswith("Programming Language :: Python :: 3.")
]
ENVIRONMENTS = [
    {**default_environment(), "python_version": python, "python_full_version": f"{python}.9"}
    for python in PYTHONS
]


def entries(lock: str) -> list[str]:
    """Requirements of a lock, each with its options on one line, without comments."""
    lines = [line for line in lock.splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ").split("\n")


def faults(lock: str) -> list[str]:
    """Entries without a hash or an exact version, and addresses."""
    bad = [
        entry
        for entry in filter(None, entries(lock))
        if not re.fullmatch(r"[\w.\[\],-]+==\S+ (;[^#]*?)?( +--hash=sha256:[0-9a-f]{64})+", entry)
    ]
    return bad + re.findall(r".*(?:index-url|find-links|://).*", lock)


def installs_that_resolve(commands: str) -> list[str]:
    """Commands that let pip resolve a lock, or take a file whose hash nothing checks."""
    lines = commands.replace("\\\n", " ").splitlines()
    return [
        line
        for line in lines
        if re.search(r"\bpip3?\"? .*\b(install|download)\b.*\.lock", line)
        and not ("--no-deps" in line and "--require-hashes" in line)
    ]


def unsatisfied(lock: str, roots: list[str], environment: dict[str, str]) -> list[str]:
    """Requirements, of the project or of a locked package, that the lock does not satisfy."""
    pins = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for entry in filter(None, entries(lock))
        if (pin := Requirement(entry.split("--hash")[0])).marker is None
        or pin.marker.evaluate(environment)
    }
    queue = [("ser-batch", Requirement(root), "") for root in roots]
    done, missing = set(), []
    while queue:
        wanted_by, wanted, extra = queue.pop()
        if wanted.marker and not wanted.marker.evaluate({**environment, "extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        if name not in pins or not wanted.specifier.contains(pins[name], prereleases=True):
            missing.append(f"{wanted_by} requires {wanted}, locked is {pins.get(name)}")
            continue
        for key in {(name, extra) for extra in ("", *wanted.extras)} - done:
            done.add(key)
            queue += [(name, each, key[1]) for each in requirements_of(name, pins[name])]
    return missing


def requirements_of(name: str, version: str) -> list[Requirement]:
    """What a locked package requires; nothing where this Python has another version or none."""
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        return []
    same = installed.version == version
    return [Requirement(text) for text in (installed.requires or ())] if same else []


def roots_of(lock: str) -> list[str]:
    extras = PROJECT["optional-dependencies"]
    return [
        *PROJECT["dependencies"],
        *PYPROJECT["dependency-groups"]["build"],
        *(text for extra in EXTRAS[lock] for text in extras[extra]),
    ]


@pytest.mark.parametrize("name", LOCKS)
def test_every_entry_of_a_lock_has_a_hash_and_no_address(name):
    assert faults((CHECKOUT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=PYTHONS)
@pytest.mark.parametrize("name", EXTRAS)
def test_a_lock_holds_all_that_its_packages_require(name, environment):
    lock = (CHECKOUT / name).read_text(encoding="utf-8")
    assert unsatisfied(lock, roots_of(name), environment) == []


def test_this_environment_holds_what_is_locked_for_it():
    lock = (CHECKOUT / "requirements-dev.lock").read_text(encoding="utf-8")
    pins = [Requirement(entry.split("--hash")[0]) for entry in filter(None, entries(lock))]
    wanted = {str(pin.name): str(pin.specifier) for pin in pins if not pin.marker}
    installed = {name: f"=={distribution(name).version}" for name in wanted}
    assert installed == wanted, "run `make setup-dev`"


def test_make_installs_locks_without_resolving():
    make = ["make", "--dry-run", "--always-make", "setup-dev"]
    printed = subprocess.run(make, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert len(re.findall(r"pip install .*\.lock", printed)) == len(LOCKS)
    assert installs_that_resolve(printed) == []
    assert len(installs_that_resolve(printed.replace("--no-deps", ""))) == len(LOCKS)
    assert re.search(r"pip install .*--no-deps --no-build-isolation --editable", printed)


@pytest.mark.parametrize("name", [name for name in SCRIPTS if (CHECKOUT / name).exists()])
def test_scripts_and_documents_install_locks_without_resolving(name):
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    assert installs_that_resolve(text) == []
    installs = len(re.findall(r"-r requirements\S*\.lock", text))
    assert len(installs_that_resolve(text.replace("--no-deps", ""))) == installs


def test_python_versions_and_build_tools_are_stated_alike():
    span = SpecifierSet(PROJECT["requires-python"])
    assert [f"3.{minor}" for minor in range(30) if f"3.{minor}" in span] == PYTHONS
    assert PYPROJECT["dependency-groups"]["build"] == PYPROJECT["build-system"]["requires"]


def test_what_is_wrong_with_a_lock_is_found():
    lock = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    [packaging] = re.findall(r"^(packaging==.*\n(?: +--hash.*\n)+)", lock, re.MULTILINE)
    without_hashes = packaging.splitlines()[0].rstrip(" \\") + "\n"
    assert faults(lock.replace(packaging, without_hashes))
    assert faults("--extra-index-url packages\n" + lock)
    roots = roots_of("requirements.lock")
    assert unsatisfied(lock.replace(packaging, ""), roots, ENVIRONMENTS[0])
    assert unsatisfied(lock, [*roots, "numpy>99"], ENVIRONMENTS[0])
    assert unsatisfied(lock, [*roots, "prefect[aws]"], ENVIRONMENTS[0])
    assert installs_that_resolve("pip install --require-hashes \\\n -r requirements.lock")
    assert installs_that_resolve("x/pip --quiet download --no-deps -r requirements.lock")
