"""The application of a member that takes no part in claims: it follows its node's feeds.

Rules:
- It reacts to nothing and signs nothing; what it knows of the trade is what any member may know.
"""

from __future__ import annotations

from scenarios.agents.agent import Agent


class Observer(Agent):
    """What a chamber, a fisheries agency or any onlooker runs."""
