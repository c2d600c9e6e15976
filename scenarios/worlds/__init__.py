"""The worlds a trial's nodes run in: virtual and live."""
