"""The application of an organization that both exports and imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scenarios.agents.agent import Relation
from scenarios.agents.exporter import Exporter
from scenarios.agents.importer import Importer


class Trader(Exporter, Importer):
    """What an exporter does and what an importer does, with one wallet."""

    steps: ClassVar[Mapping[str, str]] = {**Exporter.steps, **Importer.steps}
    reactions: ClassVar[Mapping[tuple[str, Relation], str]] = {**Exporter.reactions, **Importer.reactions}
