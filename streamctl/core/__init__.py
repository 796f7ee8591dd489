"""Decides. Pure functions and frozen dataclasses, standard library only; the time is an argument."""
