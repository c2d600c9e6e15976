"""The application of a member that takes no part in claims: it follows its node's feeds.

Rules:
- Of the trade it knows what any member may know, and what somebody discloses to it.
"""

from __future__ import annotations

from scenarios.agents.archive import Archive


class Observer(Archive):
    """What a chamber, a fisheries agency or any onlooker runs."""
