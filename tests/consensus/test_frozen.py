"""What is made cheaply is the same value as what a frozen dataclass makes, and as frozen."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from consensus import Entry, EntryType
from consensus.frozen import cheaply_made


@cheaply_made
@dataclass(frozen=True, slots=True)
class Cheap:
    one: int
    two: str = "two"
    three: tuple[int, ...] = ()


def test_a_value_is_of_its_own_class_equal_to_its_like_and_copied_like_any() -> None:
    value = Cheap(1, three=(3,))
    assert type(value) is Cheap
    assert (value.one, value.two, value.three) == (1, "two", (3,))
    assert value == Cheap(one=1, two="two", three=(3,)) != Cheap(2)
    assert hash(value) == hash(Cheap(1, "two", (3,)))
    assert repr(value) == "Cheap(one=1, two='two', three=(3,))"
    assert replace(value, one=2) == Cheap(2, "two", (3,))
    assert copy.deepcopy(value) == value == pickle.loads(pickle.dumps(value))  # noqa: S301 - its own bytes


@pytest.mark.parametrize(
    "change",
    [
        lambda value: setattr(value, "one", 2),
        lambda value: setattr(value, "other", 2),
        lambda v: delattr(v, "one"),
    ],
)
def test_a_value_is_frozen_from_the_moment_anybody_has_it(change: Callable[[Cheap], None]) -> None:
    value = Cheap(1)
    with pytest.raises((FrozenInstanceError, TypeError)):
        change(value)
    assert value == Cheap(1)


def test_what_a_dataclass_refuses_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Cheap.__init__\(\) missing 1 required positional argument: 'one'"):
        Cheap()  # type: ignore[call-arg]


def test_entries_of_the_log_are_made_cheaply_and_frozen() -> None:
    entry = Entry(1, 2, EntryType.NORMAL, b"data")
    with pytest.raises(FrozenInstanceError):
        entry.data = b"other"  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Checked:
    one: int

    def __post_init__(self) -> None:
        """Check something."""


@dataclass(frozen=True, slots=True)
class Listed:
    items: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Open:
    one: int


@pytest.mark.parametrize("kind", [Checked, Listed, Open])
def test_a_class_whose_constructor_does_more_is_refused(kind: type) -> None:
    with pytest.raises(TypeError, match=f"{kind.__name__}: only a plain frozen dataclass with slots"):
        cheaply_made(kind)
