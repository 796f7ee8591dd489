"""Wakes. One handler per trigger: parse the event, call one op, report."""
