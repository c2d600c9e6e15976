"""The secret keys of a run's organizations, each found by the public key that the ledger has.

Rules:
- A trial plays everybody: founders, newcomers and rotations have keys that follow from the run's seed.
- A key that a script made otherwise is looked for in a folder like a network's: `ORGANIZATION/organization.key` and
  `ORGANIZATION/box.key`.
- What counts is the ledger's public key; a secret that does not fit it is never used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from ledger.keys import BoxKey, SigningKey, seed_for
from ledger.members import TERMS_MAX, Member
from scenarios.agents.wallet import drawn_keys
from scenarios.network.founding import key_stream, secrets_from_seed

_KEY_FILE = "organization.key"
_BOX_FILE = "box.key"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of a run.

    Attributes:
        seed: the run's.
        folder: where keys lie that do not follow from it, by organization.
    """

    seed: str
    folder: Path | None = None

    def signing_key(self, organization: str, public: bytes) -> SigningKey | None:
        """Return the secret half of an organization key, or None if it is not to be had.

        Raises:
            KeyFileError: if the folder has a file for it that cannot be used.
        """
        path = self._file(organization, _KEY_FILE)
        if path is not None and (kept := SigningKey.load(path)).public == public:
            return kept
        founding = secrets_from_seed(organization, self.seed).organization_key
        if founding.public == public:
            return founding
        return next((key for key, _ in self._later(organization) if key.public == public), None)

    def box_keys(self, member: Member) -> tuple[BoxKey, ...]:
        """Return the X25519 keys of a member, as far as they are to be had, newest first.

        Raises:
            KeyFileError: if the folder has a file for it that cannot be used.
        """
        registered = [term.key for term in reversed(member.box_keys)]
        path = self._file(member.id, _BOX_FILE)
        found: dict[bytes, BoxKey] = {}
        for key in [] if path is None else [BoxKey.load(path)]:
            found[key.public] = key
        founding = secrets_from_seed(member.id, self.seed).box_key
        found[founding.public] = founding
        for _, key in self._later(member.id):
            if all(public in found for public in registered):
                break
            found[key.public] = key
        return tuple(found[public] for public in registered if public in found)

    def credential_key(self, organization: str) -> SigningKey:
        """Return the key with which an organization secures credentials: its own, and on no ledger."""
        return SigningKey.from_seed(seed_for(self.seed, f"{organization}/credential-key"))

    def _file(self, organization: str, name: str) -> Path | None:
        path = None if self.folder is None else self.folder / organization / name
        return path if path is not None and path.exists() else None

    def _later(self, organization: str) -> Iterator[tuple[SigningKey, BoxKey]]:
        """Yield the keys that the organization's program draws, one pair for each rotation it wants."""
        chance = Random(f"{self.seed}:{key_stream(organization)}")
        for _ in range(TERMS_MAX):
            yield drawn_keys(chance)
