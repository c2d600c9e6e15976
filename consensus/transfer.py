"""Handing leadership over (dissertation, section 3.10).

Rules:

- The leader stops taking proposals, brings the chosen voter's log up to its own, and then tells it to
  campaign at once (TIMEOUT_NOW). That is all: the voter still has to win a vote in a newer term, so a
  transfer can fail, but it cannot elect anybody whom an election would not.
- The word is repeated with every answer of the chosen voter, since the first may be lost.
- A transfer not done within an election timeout is given up and the leader takes proposals again; the
  voter may have been down, or its log too far behind. A late word then costs one election, no data.
- Only one transfer at a time; a new one replaces it. A transfer to oneself just ends the running one.
- `forget_leader` is the follower's part: it hears no leader any more, so it helps whoever campaigns. Its
  own timeout runs on.
"""

from consensus import election, replication
from consensus.core import Core
from consensus.errors import Refusal, TransferRefusedError
from consensus.messages import Message, MessageType
from consensus.types import NOBODY, Role


def start(core: Core, to: int) -> None:
    """Begins to hand over to `to`.

    Raises:
        TransferRefusedError: this node does not lead, or `to` is no voter.
    """
    if core.role is not Role.LEADER:
        raise TransferRefusedError(
            Refusal.NOT_LEADER,
            f"node {core.id} is {core.role.value} in term {core.term}; ask {core.lead or 'the leader'}",
        )
    if to not in core.conf.voters:
        raise TransferRefusedError(
            Refusal.NOT_A_VOTER, f"node {to} is not one of the voters {core.conf.voters}"
        )
    if to == core.id:
        core.transferee = NOBODY
    elif to != core.transferee:
        core.transferee = to
        core.transfer_elapsed = 0
        if not _tell_if_up_to_date(core):
            replication.send_append(core, to, core.progress[to])


def peer_answered(core: Core, message: Message) -> None:
    """The chosen voter answered something: perhaps its log is complete now."""
    if core.transferee == message.sender and core.role is Role.LEADER:
        _tell_if_up_to_date(core)


def _tell_if_up_to_date(core: Core) -> bool:
    to = core.transferee
    progress = core.progress[to]
    if progress.match < core.log.last_index:
        return False
    core.send(Message(MessageType.TIMEOUT_NOW, to, core.id, core.term, progress.session))
    return True


def handle_timeout_now(core: Core, _message: Message) -> None:
    """The leader asks this node to take over."""
    election.campaign(core, asked_by_leader=True)


def tick_leader(core: Core) -> None:
    """Gives a transfer up after an election timeout."""
    if core.transferee != NOBODY:
        core.transfer_elapsed += 1
        if core.transfer_elapsed >= core.config.election_tick:
            core.transferee = NOBODY


def forget_leader(core: Core) -> None:
    """A follower stops hearing its leader."""
    if core.role is Role.FOLLOWER:
        core.lead = NOBODY
