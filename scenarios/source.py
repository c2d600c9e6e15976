"""YAML with file, line and column for every key and value.

Rules:
- YAML 1.2: `NO`, `yes`, `on`, `2018-09-04` are text; numbers, `true`, `false` and `null` are what they seem.
- A code is text and says so with quotes. What other readers of YAML take for a number (`0304`, `12:30`) is
  refused wherever it stands; the model refuses a number where text is wanted, with the same remedy: quote it.
- A key stands once in a mapping. Anchors are fine; tags of one's own and merge keys (`<<`) are refused.
- `extends: name` lays a file over another: mappings are merged, everything else is replaced, `key+` appends a
  list to the list below. Every value keeps the place it came from.
- An override `a.b.1.c=value` replaces one value; lists count from 1; its place is the override itself.
- Everything wrong is collected. Size, nodes and depth are bounded, so no file can exhaust the machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode

from scenarios.errors import Fault, Place, ScenarioError

FILE_BYTES_MAX = 1 << 20
NODES_MAX = 50_000
DEPTH_MAX = 32

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Location: TypeAlias = "tuple[str | int, ...]"

_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_CORE_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar as written: its text, whether it was unquoted, and the value YAML 1.2 gives it."""

    place: Place
    text: str
    plain: bool
    value: bool | int | float | str | None


@dataclass(slots=True)
class ListNode:
    """A list of nodes."""

    place: Place
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class MapNode:
    """A mapping in the file's order; each entry has the place of its key beside its node."""

    place: Place
    entries: dict[str, tuple[Place, Node]] = field(default_factory=dict)


Node: TypeAlias = "Leaf | ListNode | MapNode"


@dataclass(frozen=True, slots=True)
class Source:
    """A scenario's text as a tree that knows where everything stands.

    Args:
        root: The tree, after `extends` and overrides.
        name: The file it was read from, as it is printed.
        faults: What was wrong with the text itself, still to be reported with the model's own findings.
    """

    root: MapNode
    name: str
    faults: tuple[Fault, ...] = ()

    def value(self) -> dict[str, Value]:
        """Return the plain value of the whole tree."""
        plain = _plain(self.root)
        assert isinstance(plain, dict)  # noqa: S101  the root is a mapping
        return plain

    def find(self, location: Location) -> Node | None:
        """Return the node at `location` (list indexes from 0), or None if nothing stands there."""
        node: Node = self.root
        for step in location:
            below = child(node, step)
            if below is None:
                return None
            node = below
        return node

    def place(self, location: Location) -> Place:
        """Return where `location` stands; the nearest thing above it if it is missing."""
        node: Node = self.root
        place = node.place
        for step in location:
            below = child(node, step)
            if below is None:
                break
            node, place = below, below.place
        return place

    def key_place(self, location: Location) -> Place:
        """Return where the key of `location` stands; for a list item, where the item stands."""
        above = self.find(location[:-1])
        if isinstance(above, MapNode) and location[-1] in above.entries:
            return above.entries[str(location[-1])][0]
        return self.place(location)


def child(node: Node, step: str | int) -> Node | None:
    """Return what stands under `node` at a key or an index (from 0), or None."""
    if isinstance(node, MapNode) and isinstance(step, str) and step in node.entries:
        return node.entries[step][1]
    if isinstance(node, ListNode) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None


def dotted(location: Location) -> str:
    """Return a location as faults and overrides write it: `steps.3.document`, lists counted from 1."""
    return ".".join(str(step + 1) if isinstance(step, int) else step for step in location)


def read_source(path: Path, name: str | None = None) -> Source:
    """Read one YAML file.

    Args:
        path: The file.
        name: How to call it in faults; the path if not given.

    Raises:
        ScenarioError: The file cannot be read, is too large, is no YAML, or its root is no mapping.
    """
    shown = name or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ScenarioError([Fault(Place(shown), f"cannot be read: {reason}", "", "name a file")]) from error
    if len(data) > FILE_BYTES_MAX:
        fault = Fault(Place(shown), "the file is too large", f"at most {FILE_BYTES_MAX} bytes", "shorten it")
        raise ScenarioError([fault])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = Fault(Place(shown, line, 1), "the text is not UTF-8", "", "save the file as UTF-8")
        raise ScenarioError([fault]) from error
    return parse_source(text, shown)


def parse_source(text: str, name: str) -> Source:
    """Parse YAML text into a tree; faults that leave the tree usable are kept in it.

    Raises:
        ScenarioError: The text is no YAML or its root is no mapping.
    """
    reader = _Reader(name)
    root = reader.read(text)
    if isinstance(root, MapNode):
        return Source(root, name, tuple(reader.faults))
    what = "the file is empty" if root is None else "the file holds no mapping"
    reader.faults.append(Fault(Place(name, 1, 1), what, "", "begin with `scenario: a-name`"))
    raise ScenarioError(reader.faults)


def overlay(base: Source, over: Source) -> Source:
    """Lay one source over another: mappings merge, all else is replaced, `key+` appends to a list."""
    faults = [*base.faults, *over.faults]
    return Source(_merged(base.root, over.root, (), faults), over.name, tuple(faults))


def apply_overrides(source: Source, overrides: Sequence[str]) -> Source:
    """Replace single values, each given as `dotted.path=value` with the value in YAML.

    What is wrong with an override is a fault whose place is the override as it was typed.
    """
    faults = list(source.faults)
    root = source.root
    for text in overrides:
        place = Place(f"--set {text}")
        path, equals, value_text = text.partition("=")
        steps = [step.strip() for step in path.split(".")]
        if not equals or not all(steps):
            faults.append(Fault(place, "is no override", "", "write it as path.to.key=value"))
            continue
        reader = _Reader(place.file, numbered=False)
        try:
            node = reader.read(value_text)
        except ScenarioError as error:
            faults.extend(error.faults)
            continue
        faults.extend(reader.faults)
        value = node if node is not None else Leaf(place, "", True, None)
        root, fault = _replaced(root, steps, value, place)
        if fault is not None:
            faults.append(fault)
    return Source(root, source.name, tuple(faults))


def _replaced(root: MapNode, steps: list[str], value: Node, place: Place) -> tuple[MapNode, Fault | None]:
    """Return a tree with one value replaced; what is not on the way is shared with the old tree."""
    new_root = MapNode(root.place, dict(root.entries))
    node: MapNode | ListNode = new_root
    for position, step in enumerate(steps):
        last = position == len(steps) - 1
        where = ".".join(steps[: position + 1])
        below: Node | None
        if isinstance(node, ListNode):
            if not _INTEGER.fullmatch(step) or not 1 <= int(step) <= len(node.items):
                limit = f"the list has items 1 to {len(node.items)}" if node.items else "the list is empty"
                return root, Fault(place, f"{where} does not exist", limit, "lists count from 1")
            index = int(step) - 1
            below = value if last else _copied(node.items[index])
            node.items[index] = below
        else:
            key_place, below = node.entries.get(step, (place, MapNode(place)))
            below = value if last else _copied(below)
            node.entries[step] = (place if last else key_place, below)
        if last:
            return new_root, None
        if isinstance(below, Leaf):
            what = f'{where} is "{below.text}", nothing stands under it'
            return root, Fault(place, what, "", f"set {where} itself")
        node = below
    return new_root, None


def _copied(node: Node) -> Node:
    if isinstance(node, MapNode):
        return MapNode(node.place, dict(node.entries))
    if isinstance(node, ListNode):
        return ListNode(node.place, list(node.items))
    return node


def _merged(base: MapNode, over: MapNode, location: Location, faults: list[Fault]) -> MapNode:
    merged = MapNode(over.place, dict(base.entries))
    for key, (key_place, node) in over.entries.items():
        name = key.removesuffix("+")
        below = base.entries.get(name)
        if key.endswith("+"):
            items = below[1] if below is not None else ListNode(node.place)
            if not isinstance(items, ListNode) or not isinstance(node, ListNode):
                what = f"{dotted((*location, key))} appends to something that is no list"
                faults.append(Fault(key_place, what, "", f"write {name}: to replace it"))
                continue
            joined = ListNode(node.place, [*items.items, *node.items])
            merged.entries[name] = (key_place, joined)
        elif below is not None and isinstance(below[1], MapNode) and isinstance(node, MapNode):
            merged.entries[key] = (key_place, _merged(below[1], node, (*location, key), faults))
        else:
            merged.entries[key] = (key_place, node)
    return merged


def _plain(node: Node) -> Value:
    if isinstance(node, Leaf):
        return node.value
    if isinstance(node, ListNode):
        return [_plain(item) for item in node.items]
    return {key: _plain(below) for key, (_, below) in node.entries.items()}


class _Reader:
    """Turns ruamel's nodes into ours, collecting faults."""

    def __init__(self, name: str, *, numbered: bool = True) -> None:
        self._name = name
        self._numbered = numbered
        self._nodes = 0
        self.faults: list[Fault] = []

    def read(self, text: str) -> Node | None:
        """Parse text; None if it holds nothing.

        Raises:
            ScenarioError: The text is no YAML, or more than the limits allow.
        """
        yaml = YAML(typ="rt", pure=True)
        try:
            composed = yaml.compose(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = self._at(mark.line, mark.column) if mark is not None else Place(self._name)
            what = " ".join(part for part in (error.context, error.problem) if part)
            remedy = "indent with spaces and close every quote and bracket"
            raise ScenarioError([*self.faults, Fault(place, f"is no YAML: {what}", "", remedy)]) from error
        except RecursionError as error:
            fault = Fault(Place(self._name), "the file nests too deep", f"{DEPTH_MAX} levels", "flatten it")
            raise ScenarioError([*self.faults, fault]) from error
        except YAMLError as error:
            what = f"is no YAML: {error}".replace("\n", " ")
            raise ScenarioError([*self.faults, Fault(Place(self._name), what, "", "")]) from error
        return self._node(composed, (), 0) if composed is not None else None

    def _at(self, line: int, column: int) -> Place:
        return Place(self._name, line + 1, column + 1) if self._numbered else Place(self._name)

    def _node(self, node: YamlNode, location: Location, depth: int) -> Node:
        place = self._at(node.start_mark.line, node.start_mark.column)
        self._nodes += 1
        if self._nodes > NODES_MAX or depth > DEPTH_MAX:
            limit = f"at most {NODES_MAX} values (aliases counted where used), {DEPTH_MAX} levels deep"
            raise ScenarioError([*self.faults, Fault(place, "the file holds too much", limit, "shorten it")])
        if not str(node.tag).startswith(_CORE_TAG):
            what = f"{dotted(location) or 'value'}: the tag {node.tag} means nothing here"
            self.faults.append(Fault(place, what, "", "remove it"))
        if isinstance(node, ScalarNode):
            return self._scalar(node, place, location)
        if isinstance(node, SequenceNode):
            items = [self._node(item, (*location, at), depth + 1) for at, item in enumerate(node.value)]
            return ListNode(place, items)
        assert isinstance(node, MappingNode)  # noqa: S101  YAML has three kinds of nodes
        return self._mapping(node, place, location, depth)

    def _mapping(self, node: MappingNode, place: Place, location: Location, depth: int) -> MapNode:
        mapping = MapNode(place)
        for key_node, value_node in node.value:
            key_place = self._at(key_node.start_mark.line, key_node.start_mark.column)
            if not isinstance(key_node, ScalarNode):
                self.faults.append(Fault(key_place, "a key is no text", "", "write a name before the colon"))
                continue
            key = key_node.value
            inside = (*location, key)
            if key == "<<" and key_node.style is None:
                remedy = "repeat the keys, or use extends: for whole files"
                self.faults.append(Fault(key_place, "merge keys are not YAML 1.2", "", remedy))
                continue
            if key in mapping.entries:
                first = mapping.entries[key][0]
                what = f'{dotted(inside)}: the key "{key}" stands twice, first on line {first.line}'
                self.faults.append(Fault(key_place, what, "a key stands once", "remove or rename one"))
                continue
            mapping.entries[key] = (key_place, self._node(value_node, inside, depth + 1))
        return mapping

    def _scalar(self, node: ScalarNode, place: Place, location: Location) -> Leaf:
        text: str = node.value
        plain = node.style is None
        if not plain:
            return Leaf(place, text, False, text)
        if _LEADING_ZERO.fullmatch(text) or _SEXAGESIMAL.fullmatch(text):
            what = f"{dotted(location) or 'value'}: {text} is text to one reader of YAML, a number to another"
            self.faults.append(Fault(place, what, "codes are text", f'quote it: "{text}"'))
            return Leaf(place, text, True, text)
        return Leaf(place, text, True, _resolved(text))


def _resolved(text: str) -> bool | int | float | str | None:
    """Return what the YAML 1.2 core schema makes of a plain scalar (infinities stay text)."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    if _REAL.fullmatch(text):
        return float(text)
    return text
