"""Records kept in a real file without a name, of which only the latest are in memory.

Rules:
- A record's number is its place in the order of filing, from 0; what comes back is equal to what was filed.
- Beyond `RESIDENT_MAX` records the one asked for longest ago leaves memory; the file is made when that first happens,
  has no name from the moment it is there, and goes with the process.
- What is let go of is overwritten in the file: nothing of it stays.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar, cast
from weakref import WeakValueDictionary

from scenarios.filedindex import FiledIndex

K = TypeVar("K")
T = TypeVar("T")

RESIDENT_MAX = 64
_IN_MEMORY = -1
_LET_GO = -2


class Filed(Generic[T]):
    """Records by number.

    Args:
        pack: gives a record's bytes.
        unpack: gives the record back.
    """

    def __init__(
        self, pack: Callable[[T], bytes] = pickle.dumps, unpack: Callable[[bytes], T] = pickle.loads
    ) -> None:
        self._pack = pack
        self._unpack = unpack
        self._resident: OrderedDict[int, T] = OrderedDict()
        self._offsets = array("q")  # in the file, or one of the two above
        self._sizes = array("I")
        self._file: int | None = None
        self._end = 0

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)

    def __len__(self) -> int:
        """How many records were ever filed."""
        return len(self._offsets)

    @property
    def resident_count(self) -> int:
        """How many records are in memory."""
        return len(self._resident)

    def __iter__(self) -> Iterator[T]:
        """Give every record that was not let go of, in order; memory stays as it is."""
        for number, offset in enumerate(self._offsets):
            if offset == _LET_GO:
                continue
            resident = self._resident.get(number)
            yield self._read(number) if resident is None else resident

    def add(self, record: T) -> int:
        """File a record and return its number.

        Raises:
            OSError: if an older one has to leave memory and the real disk is full.
        """
        number = len(self._offsets)
        self._offsets.append(_IN_MEMORY)
        self._sizes.append(0)
        self._keep(number, record)
        return number

    def __getitem__(self, number: int) -> T:
        """Return a record.

        Raises:
            KeyError: if it was let go of.
        """
        resident = self._resident.get(number)
        if resident is not None:
            self._resident.move_to_end(number)
            return resident
        if self._offsets[number] == _LET_GO:
            raise KeyError(number)
        record = self._read(number)
        self._keep(number, record)
        return record

    def replace(self, number: int, record: T) -> None:
        """Put another record in the place of one, of which nothing stays.

        Raises:
            OSError: if an older one has to leave memory and the real disk is full.
        """
        self._overwrite(number)
        self._offsets[number] = _IN_MEMORY
        self._resident.pop(number, None)
        self._keep(number, record)

    def let_go(self, number: int) -> None:
        """Let nothing of a record stay, in memory or in the file."""
        self._resident.pop(number, None)
        self._overwrite(number)
        self._offsets[number] = _LET_GO

    def _overwrite(self, number: int) -> None:
        if self._file is not None and self._offsets[number] >= 0:
            os.pwrite(self._file, bytes(self._sizes[number]), self._offsets[number])

    def _keep(self, number: int, record: T) -> None:
        self._resident[number] = record
        if len(self._resident) > RESIDENT_MAX:
            older, leaving = self._resident.popitem(last=False)
            if self._offsets[older] == _IN_MEMORY:
                self._write(older, self._pack(leaving))

    def _write(self, number: int, data: bytes) -> None:
        if self._file is None:
            with tempfile.TemporaryFile(prefix="seatrial-") as file:
                self._file = os.dup(file.fileno())
        os.pwrite(self._file, data, self._end)
        self._offsets[number], self._sizes[number] = self._end, len(data)
        self._end += len(data)

    def _read(self, number: int) -> T:
        if self._file is None:
            raise RuntimeError("a record left memory and there is no file")
        return self._unpack(os.pread(self._file, self._sizes[number], self._offsets[number]))


class FiledMap(Mapping[K, T]):
    """Records by a key, in the order in which keys came; another record under a key takes the older one's place.

    Args:
        pack: gives a record's bytes.
        unpack: gives the record back.
    """

    def __init__(
        self, pack: Callable[[T], bytes] = pickle.dumps, unpack: Callable[[bytes], T] = pickle.loads
    ) -> None:
        self._records = Filed(pack, unpack)
        self._numbers: FiledIndex[K] = FiledIndex()

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[K]:
        return iter(self._numbers)

    def __contains__(self, key: object) -> bool:
        return cast(K, key) in self._numbers

    def __getitem__(self, key: K) -> T:
        number = self._numbers.get(key)
        if number is None:
            raise KeyError(key)
        return self._records[number]

    def keys_from(self, number: int) -> Iterator[K]:
        """Give the keys of the records filed from a number on, in their order."""
        return self._numbers.since(number)

    @property
    def resident_count(self) -> int:
        """How many keys and records are in memory."""
        return self._numbers.resident_count + self._records.resident_count

    def put(self, key: K, record: T) -> None:
        """File a record under a key."""
        number = self._numbers.get(key)
        if number is None:
            self._numbers.add(key, self._records.add(record))
        else:
            self._records.replace(number, record)

    def let_go(self, key: K) -> None:
        """Let nothing of a key's record stay; nothing happens if there is none."""
        number = self._numbers.pop(key)
        if number is not None:
            self._records.let_go(number)


class FiledEntries(FiledMap[K, T]):
    """Records that change: while anybody holds one, whoever asks for it gets the very same object.

    Who changes a record puts it again, or the change goes with the last who holds it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: WeakValueDictionary[int, T] = WeakValueDictionary()

    def __getitem__(self, key: K) -> T:
        number = self._numbers.get(key)
        if number is None:
            raise KeyError(key)
        record = self._held.get(number)
        if record is None:
            record = self._held[number] = self._records[number]
        return record

    def put(self, key: K, record: T) -> None:
        """File a record under a key, or say that it has changed."""
        super().put(key, record)
        number = self._numbers.get(key)
        if number is not None:
            self._held[number] = record
