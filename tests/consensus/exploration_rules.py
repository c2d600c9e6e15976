"""What must hold across the nodes of an exploration, in each state and against history.

Rules:

- History is what no crash erases: who led which term, what was ever committed and in which term, and how much was
  committed when each read was asked for.
- Which configuration was in force follows from the committed log alone; every node goes by the one its log gives.
- A committed entry is on the disks of a quorum of a configuration in force when it was committed: that of the last
  change before it, or the one before that, if it was committed together with that change.
"""

from consensus import ConfState
from consensus.quorum import joint_committed_index
from tests.consensus.exploration_node import Log, View, configuration, require

History = tuple[tuple[int, ...], Log, tuple[int, ...], tuple[int, ...]]
"""Who led each term (negative: in a life that is over); what was ever committed; in which term each of these
entries was; for each read asked for, how many entries were committed at that moment."""


class Rules:
    """The rules, for nodes that start with one configuration."""

    def __init__(self, start: ConfState) -> None:
        self.start = start
        self._matching: dict[tuple[Log, Log], bool] = {}

    def check(self, views: list[View], history: History) -> History:
        """Checks a state; gives the history from here on."""
        leaders, committed, terms, reads = history
        committed, terms = _extended(committed, terms, views)
        for view in views:
            if view.leads:
                leaders = _led(leaders, view, committed[: sum(term < view.term for term in terms)])
            for peer, match in view.matches:
                other = views[peer - 1]
                if other.stored_term == view.term:
                    require(
                        other.stored[:match] == view.log[:match], f"match {match} of {peer} is not stored"
                    )
            due = configuration(self.start, view.log[: view.conf_index])[-1][1]
            require(
                view.conf == due,
                f"node {view.node} goes by {view.conf}, its log up to {view.conf_index} by {due}",
            )
        logs = [log for view in views for log in (view.log, view.stored)]
        for position, log in enumerate(logs):
            for other_log in logs[:position]:
                self._check_matching(log, other_log)
        if committed:
            self._check_durable(views, committed)
        return leaders, committed, terms, reads

    def _check_durable(self, views: list[View], committed: Log) -> None:
        count = len(committed)
        holders = {view.node: count for view in views if view.stored[:count] == committed}
        confs = [conf for index, conf in configuration(self.start, committed) if index < count][-2:]
        require(
            any(
                joint_committed_index(conf.halves, lambda node: holders.get(node, 0)) == count
                for conf in confs
            ),
            f"index {count} is committed but on {len(holders)} disks",
        )

    def _check_matching(self, one: Log, other: Log) -> None:
        known = self._matching.get((one, other))
        if known is None:
            known = all(
                one[: index + 1] == other[: index + 1]
                for index in range(min(len(one), len(other)))
                if one[index][0] == other[index][0]
            )
            self._matching[one, other] = known
        require(known, f"log matching: {one} and {other}")


def _extended(committed: Log, terms: tuple[int, ...], views: list[View]) -> tuple[Log, tuple[int, ...]]:
    """What is committed, with what these nodes know of it; the leader who commits knows it first."""
    for view in views:
        known = view.log[: view.commit]
        shared = min(len(known), len(committed))
        require(known[:shared] == committed[:shared], f"node {view.node}: a committed entry changed")
        committed += known[shared:]
        terms += (view.term,) * (len(committed) - len(terms))
    for view in views:
        require(
            view.applied == committed[: len(view.applied)], f"node {view.node} applied what is not committed"
        )
    return committed, terms


def _led(leaders: tuple[int, ...], view: View, committed: Log) -> tuple[int, ...]:
    """Who led, with this leader; `committed` is what earlier terms committed, and no more.

    A node may win an old term by a vote that was long under way, after a later term has committed.
    """
    leaders += (0,) * (view.term - len(leaders))
    known = leaders[view.term - 1]
    require(known in (0, view.node), f"election safety: term {view.term} is led by {known}, then {view.node}")
    if not known:
        require(
            view.log[: len(committed)] == committed,
            f"leader completeness: leader {view.node} of term {view.term} lacks what was committed before",
        )
    return (*leaders[: view.term - 1], view.node, *leaders[view.term :])
