"""Finds scenarios: by name in the library, or by path.

Rules:
- A name has no slash and no suffix; anything else is a path. `extends` is looked up in the same way, a path
  being taken from the extending file's directory.
- Overrides are applied last, over everything that `extends` brought in.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scenarios.errors import Fault, Place, ScenarioError, nearest
from scenarios.model import Scenario, pythonfile, read_scenario
from scenarios.model.pythonfile import Script, load_script, read_python_source
from scenarios.model.source import Source, apply_overrides, overlay, read_source
from scenarios.model.yamltree import Leaf

LIBRARY = Path(__file__).parents[1] / "library"
SUFFIX = ".yaml"
EXTENDS_DEPTH_MAX = 8


def library_names() -> tuple[str, ...]:
    """Return the names of the library's scenarios, sorted."""
    return tuple(sorted(path.stem for path in LIBRARY.glob(f"*{SUFFIX}")))


def load_scenario(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """Return a scenario of the library, or the one in a file.

    Args:
        name_or_path: Such as `nafta-certificate` or `./mine.yaml`.
        overrides: Each `dotted.path=value`, the value in YAML; lists count from 1.

    Raises:
        ScenarioError: It does not exist or cannot be run; holds every fault with file and line.
    """
    return read_scenario(apply_overrides(load_source(name_or_path), overrides))


def load_script_of(name_or_path: str | Path) -> tuple[Script, str] | None:
    """Return what happens in a scenario written in Python and its file's text, or None for one in YAML.

    Raises:
        ScenarioError: It cannot be run.
    """
    path = Path(name_or_path)
    if path.suffix != pythonfile.SUFFIX:
        return None
    return load_script(path), path.read_text(encoding="utf-8")


def load_source(name_or_path: str | Path) -> Source:
    """Return a scenario's text with everything it extends, not yet checked against the model.

    Raises:
        ScenarioError: It does not exist, is no YAML, or extends itself.
    """
    path = _find(str(name_or_path), Path(), Place(str(name_or_path)))
    return _loaded(path, ())


def _loaded(path: Path, below: tuple[Path, ...]) -> Source:
    read = read_python_source if path.suffix == pythonfile.SUFFIX else read_source
    source = read(path, _shown(path))
    extends = source.root.entries.get("extends")
    if extends is None or not isinstance(extends[1], Leaf) or not isinstance(extends[1].value, str):
        return source
    place = extends[1].place
    base_path = _find(extends[1].value, path.parent, place)
    chain = (*below, path.resolve())
    circle = base_path.resolve() in chain
    if circle or len(chain) >= EXTENDS_DEPTH_MAX:
        what = "leads in a circle" if circle else "is one file too many"
        limit = f"at most {EXTENDS_DEPTH_MAX} files, none twice"
        raise ScenarioError([Fault(place, f'extends: "{extends[1].value}" {what}', limit, "remove it")])
    return overlay(_loaded(base_path, chain), source)


def _find(name: str, directory: Path, place: Place) -> Path:
    if "/" in name or name.endswith((SUFFIX, ".yml", ".json", pythonfile.SUFFIX)):
        path = directory / name
        if path.is_file():
            return path
        raise ScenarioError([Fault(place, f"there is no file {path}", "", "name an existing file")])
    path = LIBRARY / f"{name}{SUFFIX}"
    if name in library_names():
        return path
    names = library_names()
    limit = f"known: {', '.join(names)}"
    remedy = nearest(name, names) or f"a file of your own is ./{name}{SUFFIX}"
    raise ScenarioError([Fault(place, f'unknown scenario "{name}"', limit, remedy)])


def _shown(path: Path) -> str:
    """Return the path as an error shows it: within the library without the machine's own directories."""
    return f"library/{path.name}" if path.parent == LIBRARY else str(path)
