"""Commands that are to be interrupted, in processes of their own."""

from typing import Final

HEEDING: Final = ("env", "--default-signal=INT")
"""Before a command: whoever runs the tests in the background has them, and their children, ignore
SIGINT."""
