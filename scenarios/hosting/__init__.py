"""Networks of one's own, outside any scenario: founded, brought up, signed for, verified."""
