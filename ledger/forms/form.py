"""A paper form as a whole: its fields, its lines, who may read which, what is public.

Rules:
- A form is data: field rules, at most one kind of lines, rules over several fields, and what is withheld from
  whom. Fields are committed to one by one, each line by its own fields (`goods.2.hs6`).
- Public are the fields that the form lists, each with its reason, and nothing else.
- `kind`, the local name and ids of the ledger are put beside a form's fields by whoever sends it; they are no
  part of the form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ledger.encoding import Value
from ledger.forms.lines import flatten_lines, unflatten_lines
from ledger.forms.schema import FieldRule, FormFault, check_fields
from ledger.genesis import Role

FormRule = Callable[[Mapping[str, Value]], list[FormFault]]
"""A rule over several fields of a form."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A form's lines: the field that lists them, each line's rules, how many there may be."""

    name: str
    box: int
    rules: tuple[FieldRule, ...]
    maximum: int = 50


@dataclass(frozen=True, slots=True)
class Form:
    """A paper form.

    Attributes:
        code: as documents name their kind.
        title: for people.
        source: where its data elements are laid down.
        readers: roles of whom an addressee has one; nobody else is sent any field.
        fields: rules of all fields but lines.
        lines: its lines, if it has some.
        public: the only fields whose values are on the ledger, each with the reason why it must be.
        coded: names of fields that take words of a fixed vocabulary; such a word tells nothing of whose it is.
        rules: over several fields.
        withheld: names (the last part, on lines) that an addressee in a role may not read, given the form.
        last_box: the number or letter of its last box.
    """

    code: str
    title: str
    source: str
    readers: frozenset[Role]
    fields: tuple[FieldRule, ...]
    lines: Lines | None = None
    public: Mapping[str, str] = field(default_factory=dict)
    coded: tuple[str, ...] = ()
    rules: tuple[FormRule, ...] = ()
    withheld: Callable[[Mapping[str, Value], Role], frozenset[str]] = lambda _fields, _role: frozenset()
    last_box: int | str = 1

    @property
    def states_origin(self) -> bool:
        """Whether its lines say each good's country of origin."""
        return self.lines is not None and any(rule.name == "origin" for rule in self.lines.rules)

    def check(self, fields: Mapping[str, Value]) -> list[FormFault]:
        """Return every fault of a filled-in form, by box; an empty list means that it may be signed.

        Args:
            fields: as filled in; lines are a list of maps.
        """
        rules = self.fields
        if self.lines is not None:
            rules = (*rules, FieldRule(self.lines.name, self.lines.box, lambda _: None, required=False))
        faults = check_fields(rules, fields, "", box=self.last_box)
        for rule in self.rules:
            faults += rule(fields)
        if self.lines is not None:
            faults += _check_lines(self.lines, fields)
        return sorted(faults, key=lambda fault: fault.place)

    def flatten(self, fields: Mapping[str, Value]) -> dict[str, Value]:
        """Return the form's fields one by one, as documents commit to them; empty ones are left out."""
        return flatten_lines(fields, self.lines.name if self.lines is not None else "")

    def unflatten(self, flat: Mapping[str, Value]) -> dict[str, Value]:
        """Return the form's fields out of single ones, as disclosed in an envelope; lines keep their order."""
        return unflatten_lines(flat, self.lines.name if self.lines is not None else "")

    def disclosed_names(self, fields: Mapping[str, Value], role: Role) -> tuple[str, ...]:
        """Return the names of the single fields that an addressee of some role may read, sorted."""
        if role not in self.readers:
            return ()
        hidden = self.withheld(fields, role)
        return tuple(name for name in sorted(self.flatten(fields)) if name.rpartition(".")[2] not in hidden)


def _check_lines(lines: Lines, fields: Mapping[str, Value]) -> list[FormFault]:
    listed = fields.get(lines.name)
    if type(listed) is not list or not 1 <= len(listed) <= lines.maximum:
        return [FormFault(lines.box, lines.name, f"expected a list of 1 to {lines.maximum} lines")]
    faults = []
    for place, line in enumerate(listed, 1):
        where = f"{lines.name}.{place}."
        if type(line) is dict:
            faults += check_fields(lines.rules, line, where, box=lines.box)
        else:
            faults.append(FormFault(lines.box, where[:-1], "expected the fields of one line"))
    return faults
