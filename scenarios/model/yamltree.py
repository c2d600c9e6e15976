"""YAML as a tree in which every key and value knows its file, line and column.

Rules:
- YAML 1.2: `NO`, `yes`, `on`, `2018-09-04` are text; numbers, `true`, `false` and `null` are what they seem.
- A code is text and says so with quotes. What other readers of YAML take for a number (`0304`, `12:30`) is
  refused wherever it stands; the model refuses a number where text is wanted, with the same remedy: quote it.
- A key stands once in a mapping and is a name. Anchors are fine; tags and merge keys (`<<`) are refused.
- Everything wrong is collected. The text is read event by event, and what it holds is counted with aliases
  where they are used, so that no file can exhaust the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from scenarios.errors import Fault, Place, ScenarioError

NODES_MAX = 50_000
DEPTH_MAX = 32

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Location: TypeAlias = "tuple[str | int, ...]"

_INTEGER = re.compile(r"[-+]?[0-9]+")
_INTEGER_DIGITS_MAX = 18
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


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


@dataclass(slots=True)
class _Anchor:
    """What an anchor stands for: its node once complete, its number of nodes, its depth."""

    node: Node | None = None
    nodes: int = 0
    depth: int = 0


class TreeReader:
    """Reads one text into a tree; what leaves the tree usable is collected in `faults`.

    Args:
        name: What to call the text in faults.
        numbered: Whether lines of the text mean anything to its author.
    """

    def __init__(self, name: str, *, numbered: bool = True) -> None:
        self._name = name
        self._numbered = numbered
        self._nodes = 0
        self._deepest = 0
        self._anchors: dict[str, _Anchor] = {}
        self.faults: list[Fault] = []

    def read(self, text: str) -> Node | None:
        """Return the tree of a text, or None if it holds nothing.

        Raises:
            ScenarioError: The text is no YAML, or holds more than the limits allow.
        """
        events: Iterator[Event] = YAML(typ="rt", pure=True).parse(text)
        root: Node | None = None
        try:
            for event in events:
                if isinstance(event, DocumentStartEvent):
                    if root is not None:
                        raise self._stop(event, "a second document begins", "one document", "remove the ---")
                    root = self._node(next(events), events, (), 0)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = self._at(mark.line, mark.column) if mark is not None else Place(self._name)
            what = " ".join(part for part in (error.context, error.problem) if part)
            remedy = "indent with spaces and close every quote and bracket"
            raise ScenarioError([*self.faults, Fault(place, f"is no YAML: {what}", "", remedy)]) from error
        except ReaderError as error:
            line = text.count("\n", 0, error.position)
            what = f"the character U+{ord(text[error.position]):04X} does not belong in a text"
            fault = Fault(self._at(line, 0), what, "", "remove it, or escape it in double quotes")
            raise ScenarioError([*self.faults, fault]) from error
        except YAMLError as error:
            what = f"is no YAML: {error}".replace("\n", " ")
            raise ScenarioError([*self.faults, Fault(Place(self._name), what)]) from error
        return root

    def _at(self, line: int, column: int) -> Place:
        return Place(self._name, line + 1, column + 1) if self._numbered else Place(self._name)

    def _place(self, event: Event) -> Place:
        return self._at(event.start_mark.line, event.start_mark.column)

    def _stop(self, event: Event, what: str, limit: str, remedy: str) -> ScenarioError:
        return ScenarioError([*self.faults, Fault(self._place(event), what, limit, remedy)])

    def _count(self, event: Event, nodes: int, depth: int) -> None:
        self._nodes += nodes
        self._deepest = max(self._deepest, depth)
        if self._nodes > NODES_MAX or depth > DEPTH_MAX:
            limit = f"at most {NODES_MAX} values, aliases counted where used, {DEPTH_MAX} levels deep"
            raise self._stop(event, "the file holds too much", limit, "shorten it")

    def _node(self, event: Event, events: Iterator[Event], location: Location, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        assert isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent)  # noqa: S101  all there are
        anchor = _Anchor()
        if event.anchor:
            self._anchors[event.anchor] = anchor
        before, deepest, self._deepest = self._nodes, self._deepest, depth
        self._count(event, 1, depth)
        place = self._place(event)
        if event.tag is not None:
            what = f"{dotted(location) or 'value'}: the tag {event.tag} means nothing here"
            self.faults.append(Fault(place, what, "", "remove it; quotes make text"))
        node: Node
        if isinstance(event, ScalarEvent):
            node = self._scalar(event, place, location)
        elif isinstance(event, SequenceStartEvent):
            node = ListNode(place)
            while not isinstance(below := next(events), SequenceEndEvent):
                inside = (*location, len(node.items))
                node.items.append(self._node(below, events, inside, depth + 1))
        else:
            node = self._mapping(place, events, location, depth)
        anchor.node, anchor.nodes, anchor.depth = node, self._nodes - before, self._deepest - depth
        self._deepest = max(self._deepest, deepest)
        return node

    def _alias(self, event: AliasEvent, depth: int) -> Node:
        anchor = self._anchors.get(event.anchor)
        if anchor is None or anchor.node is None:
            what = (
                f"*{event.anchor} stands for nothing" if anchor is None else f"*{event.anchor} holds itself"
            )
            raise self._stop(
                event, what, "an anchor comes before its alias", f"write &{event.anchor} earlier"
            )
        self._count(event, anchor.nodes, depth + anchor.depth)
        return anchor.node

    def _mapping(self, place: Place, events: Iterator[Event], location: Location, depth: int) -> MapNode:
        mapping = MapNode(place)
        while not isinstance(event := next(events), MappingEndEvent):
            key_place = self._place(event)
            key = event.value if isinstance(event, ScalarEvent) else ""
            if not isinstance(event, ScalarEvent):
                self._node(event, events, location, depth + 1)
            node = self._node(next(events), events, (*location, key), depth + 1)
            fault = self._key_fault(key, event, key_place, location, mapping)
            if fault is not None:
                self.faults.append(fault)
            else:
                mapping.entries[key] = (key_place, node)
        return mapping

    def _key_fault(
        self, key: str, event: Event, place: Place, location: Location, mapping: MapNode
    ) -> Fault | None:
        if not key or _SURROGATE.search(key):
            return Fault(place, "a key is no name", "", "write a name before the colon")
        if key == "<<" and isinstance(event, ScalarEvent) and event.style is None:
            remedy = "repeat the keys, or use extends: for whole files"
            return Fault(place, "merge keys are not YAML 1.2", "", remedy)
        if key in mapping.entries:
            first = mapping.entries[key][0]
            what = f'{dotted((*location, key))}: the key "{key}" stands twice, first on line {first.line}'
            return Fault(place, what, "a key stands once", "remove or rename one")
        return None

    def _scalar(self, event: ScalarEvent, place: Place, location: Location) -> Leaf:
        text: str = event.value
        name = dotted(location) or "value"
        if _SURROGATE.search(text):
            self.faults.append(Fault(place, f"{name}: half a character", "", "write the character itself"))
            return Leaf(place, "", False, "")
        if event.style is not None:
            return Leaf(place, text, False, text)
        if _LEADING_ZERO.fullmatch(text) or _SEXAGESIMAL.fullmatch(text):
            what = f"{name}: {text} is text to one reader of YAML, a number to another"
            self.faults.append(Fault(place, what, "codes are text", f'quote it: "{text}"'))
            return Leaf(place, text, True, text)
        return Leaf(place, text, True, _resolved(text))


def _resolved(text: str) -> bool | int | float | str | None:
    """Return what YAML 1.2's core schema makes of a plain scalar; infinities and huge numbers stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _INTEGER_DIGITS_MAX:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    if _REAL.fullmatch(text):
        return float(text)
    return text
