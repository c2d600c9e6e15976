"""A scenario's text: files, what they extend, and overrides, with file and line for every value.

Rules:
- `extends: name` lays a file over another: mappings are merged, everything else is replaced, `key+` appends a
  list to the list below. Every value keeps the place it came from.
- An override `a.b.1.c=value` replaces one value; lists count from 1; its place is the override itself.
- Everything wrong is collected: a source carries its text's faults until the model adds its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.errors import Fault, Place, ScenarioError
from scenarios.model.yamltree import Leaf, ListNode, Location, MapNode, Node, TreeReader, Value, child, dotted

FILE_BYTES_MAX = 1 << 20

_POSITION = re.compile(r"[0-9]{1,9}")


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


def read_source(path: Path, name: str | None = None) -> Source:
    """Read one YAML file.

    Args:
        path: The file.
        name: How to call it in faults; the path if not given.

    Raises:
        ScenarioError: The file cannot be read, is too large, is no YAML, or its root is no mapping.
    """
    shown = name or str(path)
    return parse_source(read_text(path, shown), shown)


def read_text(path: Path, shown: str) -> str:
    """Return a file's text.

    Args:
        path: The file.
        shown: How to call it in faults.

    Raises:
        ScenarioError: The file cannot be read, is too large, or is no UTF-8.
    """
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
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = Fault(Place(shown, line, 1), "the text is not UTF-8", "", "save the file as UTF-8")
        raise ScenarioError([fault]) from error


def parse_source(text: str, name: str) -> Source:
    """Parse YAML text into a tree; faults that leave the tree usable are kept in it.

    Raises:
        ScenarioError: The text is no YAML or its root is no mapping.
    """
    reader = TreeReader(name)
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
        reader = TreeReader(place.file, numbered=False)
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
            if not _POSITION.fullmatch(step) or not 1 <= int(step) <= len(node.items):
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
