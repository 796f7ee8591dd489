"""Files that commands write."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from streamctl.errors import AskedWrongly


@contextlib.contextmanager
def new(file: Path) -> Iterator[BinaryIO]:
    """A file that nobody else may read; one that was begun in vain does not stay.

    Raises AskedWrongly where there is one of that name, or none can be.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise AskedWrongly(f"{file} exists already", hint="choose another name") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AskedWrongly(
            f"there is no folder {file.parent}", hint="create the folder, or choose another"
        ) from error
    except PermissionError as error:
        raise AskedWrongly(
            f"no file may be written into {file.parent}", hint="choose another folder"
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as to:
            yield to
    except BaseException:
        file.unlink(missing_ok=True)
        raise
