"""Frozen dataclasses that cost no more to make than mutable ones.

Rules:

- A frozen dataclass sets each field through `object.__setattr__`, five times as dear as an assignment; a core makes
  thousands of messages a second.
- So a value is filled in while it belongs to a mutable twin of its class, with the same slots, and becomes one of its
  own class before anybody sees it. From then on it is as frozen as any.
- Only the constructor is another one. It takes what the dataclass's own took.
"""

from dataclasses import MISSING, fields
from typing import Any, Final, TypeVar

T = TypeVar("T")

_BECOME: Final = object.__dict__["__class__"].__set__


def cheaply_made(cls: type[T]) -> type[T]:
    """Gives a frozen dataclass with slots a constructor that costs what a mutable one's does.

    Args:
        cls: made by `dataclass(frozen=True, slots=True)`, straight from `object`, with plain defaults only and without
            a `__post_init__`.

    Raises:
        TypeError: it is another kind of class.
    """
    known = fields(cls)  # type: ignore[arg-type]
    names = [known_field.name for known_field in known]
    if (
        cls.__bases__ != (object,)
        or tuple(cls.__dict__.get("__slots__", ())) != tuple(names)
        or hasattr(cls, "__post_init__")
        or any(not f.init or f.kw_only or f.default_factory is not MISSING for f in known)
    ):
        raise TypeError(f"{cls.__name__}: only a plain frozen dataclass with slots can be made cheaply")
    twin = type(f"{cls.__name__}BeingMade", (), {"__slots__": tuple(names), "__init__": None})
    defaults = {f"_default_{f.name}": f.default for f in known if f.default is not MISSING}
    arguments = [f"{name}=_default_{name}" if f"_default_{name}" in defaults else name for name in names]
    body = "\n".join(f"    self.{name} = {name}" for name in names)
    head = f"def __init__(self, {', '.join(arguments)}):\n    _become(self, _twin)"
    scope: dict[str, Any] = {"_become": _BECOME, "_twin": twin, "_cls": cls, **defaults}
    exec(f"{head}\n{body}\n    self.__class__ = _cls\n", scope)  # noqa: S102 - as dataclass itself does: its own names, out of the class
    made = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = dict(cls.__init__.__annotations__)
    setattr(cls, "__init__", made)  # noqa: B010 - mypy refuses the assignment
    return cls
