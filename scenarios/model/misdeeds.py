"""How a scenario file says that an agent is dishonest or careless: kinds and fields, each with a rate.

Rules:
- `dishonest` is a list of kinds, which it then always commits, or a map from kind to a rate, or to `rate` and `fields`.
- `careless` is a map from a field's name, or `form/field`, to the rate at which it is left out or spoilt.
- What an organization's roles cannot do or do not write is refused, with what they can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ledger.contracts.carnet import TRADERS
from ledger.forms import CERTIFICATES, FORMS, PUBLIC_FACTS, Form, form370
from ledger.forms.carnet import ATA_CARNET
from ledger.forms.voucher import ATA_VOUCHER
from ledger.genesis import Role
from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.behaviors import MISCONDUCT, Dishonesty, fitting
from scenarios.model.units import Record

Rate = Annotated[float, Field(ge=0, le=1)]
"""A share between 0 and 1."""


class Misdeed(Record):
    """How often an agent commits a kind of fraud, and what it falsifies of a paper."""

    rate: Rate = Field(1.0, description="How often, where there is occasion.")
    fields: tuple[str, ...] = Field((), description="What it falsifies; all that the kind can if absent.")


Misdeeds = dict[Dishonesty, Misdeed]


class _DishonestText:
    """A list of kinds, or a map from kind to a rate or a `Misdeed`."""

    @staticmethod
    def __get_pydantic_core_schema__(source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _read_misdeeds,
            serialization=core_schema.plain_serializer_function_ser_schema(_write_misdeeds),
        )

    @staticmethod
    def __get_pydantic_json_schema__(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        kinds = {"enum": [kind.value for kind in Dishonesty]}
        rate = {"type": "number", "minimum": 0, "maximum": 1}
        names = {"type": "array", "items": {"type": "string"}}
        more = {
            "type": "object",
            "properties": {"rate": rate, "fields": names},
            "additionalProperties": False,
        }
        return {
            "anyOf": [
                {"type": "array", "items": kinds},
                {"type": "object", "propertyNames": kinds, "additionalProperties": {"anyOf": [rate, more]}},
            ]
        }


Dishonest = Annotated[Misdeeds, _DishonestText]
"""What an agent's `dishonest` says, in either way of writing it."""


def _read_misdeeds(value: object) -> Misdeeds:
    if isinstance(value, Mapping):
        return {_kind(str(name), name): _misdeed(str(name), how) for name, how in value.items()}
    if isinstance(value, list | tuple):
        return {_kind(str(name), place): Misdeed.model_validate({}) for place, name in enumerate(value)}
    what, limit = "is no list of frauds", "a list of kinds, or a map from kind to rate"
    raise RefusedError(what, limit, "write it like [back-dates] or { back-dates: 0.2 }")


def _kind(name: str, place: object) -> Dishonesty:
    if name not in list(Dishonesty):
        inside = (place,) if isinstance(place, str | int) else ()
        raise UnknownNameError("dishonesty", name, Dishonesty, inside=inside)
    return Dishonesty(name)


def _misdeed(name: str, how: object) -> Misdeed:
    given = how if isinstance(how, Misdeed) else None
    fields: object = ()
    if isinstance(how, Mapping):
        rate, fields = how.get("rate", 1.0), how.get("fields", ())
        if set(how) - {"rate", "fields"}:
            odd = sorted(map(str, set(how) - {"rate", "fields"}))[0]
            raise UnknownNameError("key", odd, ("rate", "fields"), inside=(name, odd))
    else:
        rate = how
    if given is not None:
        return given
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        limit = "a share between 0 and 1"
        raise RefusedError(f"{rate!r} is no rate", limit, "write 0.2 for a fifth", inside=(name,))
    if not isinstance(fields, list | tuple):
        raise RefusedError(
            "fields is no list", "names of fields", "write [quantity]", inside=(name, "fields")
        )
    can = MISCONDUCT[Dishonesty(name)].fields
    for field in fields:
        if field not in can:
            raise UnknownNameError(f"field that {name} falsifies", str(field), can, inside=(name, "fields"))
    return Misdeed.model_validate({"rate": float(rate), "fields": tuple(fields)})


def _write_misdeeds(misdeeds: Misdeeds) -> dict[str, object]:
    return {
        kind.value: {"rate": how.rate, **({"fields": list(how.fields)} if how.fields else {})}
        for kind, how in misdeeds.items()
    }


def _names(*forms: Form) -> tuple[str, ...]:
    rules = [
        rule
        for form in forms
        for rule in (*form.fields, *(form.lines.rules if form.lines is not None else ()))
        if rule.name not in (*form.public, *PUBLIC_FACTS)
    ]
    return tuple(dict.fromkeys(rule.name for rule in rules))


_SELLERS = (Role.EXPORTER, Role.PRODUCER)
_HOLDERS = tuple(role for role in Role if role in TRADERS)
_OFFICES_OWN = "customs_marks"
"""The column of the general list that customs fills in, not the holder."""

WRITTEN: Mapping[str, tuple[tuple[Role, ...], tuple[str, ...]]] = {
    "certificate": ((*_SELLERS, Role.IMPORTER), _names(*CERTIFICATES.values())),
    "invoice": (_SELLERS, _names(FORMS["INVOICE"])),
    "entry-line": ((Role.IMPORTER,), _names(FORMS["ENTRY-LINE"])),
    "answer": (
        (Role.IMPORTER, Role.BROKER),
        (
            *("invoice", "invoice_description", "invoice_quantity", "invoice_unit", "invoice_value_usd"),
            *("knowledge", "paper_received_on", "paper_carrier", "paper_slip"),
        ),
    ),
    "carnet": (_HOLDERS, tuple(name for name in _names(ATA_CARNET) if name != _OFFICES_OWN)),
    "voucher": (_HOLDERS, _names(ATA_VOUCHER)),
    "form-370": (
        (Role.EXPORTER,),
        tuple(name for name in _names(form370.NOAA_370) if name != "entry_on"),  # the importer's to fill in
    ),
}
"""The forms that agents fill in: who does, and the fields that a careless hand may spoil."""


def rates_for(form: str, careless: Mapping[str, float]) -> dict[str, float]:
    """Return the rates of the fields of one form, `form/field` before `field`."""
    found = {}
    for name in WRITTEN[form][1]:
        rate = careless.get(f"{form}/{name}", careless.get(name))
        if rate is not None:
            found[name] = rate
    return found


def misfits(
    name: str, roles: tuple[Role, ...], dishonest: Misdeeds, careless: Mapping[str, float]
) -> Iterator[tuple[tuple[str, ...], RefusedError]]:
    """Give the kinds that an organization's roles cannot commit, and the fields that they do not write.

    Args:
        name: of the organization.
        roles: that it has.
        dishonest, careless: of its agent.
    """
    held = ", ".join(roles)
    for kind in dishonest:
        if kind not in fitting(roles):
            can = ", ".join(fitting(roles)) or "none"
            needed = " or ".join(MISCONDUCT[kind].roles)
            limit = f"{kind} is for the role {needed}; {name} is {held}, for which there are: {can}"
            yield ("dishonest", kind), RefusedError(f"{name} cannot be dishonest so", limit, "remove it")
    for key in careless:
        form, _, field = key.rpartition("/")
        if form and form not in WRITTEN:
            yield ("careless", key), UnknownNameError("form", form, WRITTEN)
            continue
        written = {
            one: fields
            for one, (writers, fields) in WRITTEN.items()
            if (not form or one == form) and any(role in roles for role in writers)
        }
        if not any(field in fields for fields in written.values()):
            known = ", ".join(dict.fromkeys(f for fields in written.values() for f in fields)) or "none"
            limit = f"{name} is {held}, which writes the fields: {known}"
            yield ("careless", key), RefusedError(f"{name} writes no field {key}", limit, "remove it")
