"""A pipeline for a test, in a local cloud of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streamctl.local.launch import LocalCloud
from tests.e2e.pipeline import Pipeline


@pytest.fixture
def build_pipeline(
    start_local_cloud: Callable[..., LocalCloud], tmp_path: Path
) -> Iterator[Callable[..., Pipeline]]:
    """Builds a pipeline in a local cloud of its own: `build_pipeline(idle_after, **options)`.

    Whatever a test is about: at its end, all that its pipelines told must fit the schemas.
    """
    built: list[Pipeline] = []

    def build(idle_after: str = "5s", **options: Any) -> Pipeline:
        pipeline = Pipeline(start_local_cloud(**options), tmp_path)
        pipeline.build(idle_after)
        built.append(pipeline)
        return pipeline

    yield build
    assert [misfit for pipeline in built for misfit in pipeline.misfits()] == []
