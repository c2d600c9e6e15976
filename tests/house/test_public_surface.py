"""The public surface is small, explicit, and changed only on purpose."""

import importlib

import pytest


@pytest.mark.parametrize(
    "package", ["ledger", "consensus", "p2p", "p2p.virtual", "ledger.store", "ledger.proofs"]
)
def test_every_public_name_is_there_and_sorted(package):
    module = importlib.import_module(package)
    assert module.__all__ == sorted(
        module.__all__, key=lambda name: (not name.isupper(), name.islower(), name)
    )
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_the_peer_s_public_names_are_these():
    import p2p

    assert p2p.__all__ == [
        "ConfigError",
        "DiskFailureError",
        "Finality",
        "FrameError",
        "HelloError",
        "Machine",
        "Node",
        "NodeConfig",
        "NodeHaltedError",
        "Observer",
        "PeerError",
        "SilentObserver",
        "Timing",
        "TopologyKind",
        "TransactionStatus",
        "gossip_graph",
        "serve_api",
    ]
