"""Every known bug has tests, and docs/known-bugs.md names them."""

from tests.known_bugs import ALSO, BUGS, DOCUMENT, ROOT, defined, document, found


def test_every_bug_of_the_list_has_a_test():
    assert len(BUGS) == 36
    assert [number for number, tests in found().items() if not tests] == []


def test_the_tests_under_other_names_exist():
    for others in ALSO.values():
        for other in others:
            path, _, name = other.partition("::")
            assert name in defined(ROOT / "tests" / path), other


def test_the_table_in_docs_is_of_these_tests():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run python -m tests.known_bugs"
