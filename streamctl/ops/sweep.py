"""Sweep a platform, or say what a sweep would do."""

from __future__ import annotations

from typing import Any

from streamctl.aws.session import Aws
from streamctl.core import sweeping
from streamctl.core.sweeping import Finding, Would
from streamctl.ops import advance, answers, journal
from streamctl.ops.setting import Setting


def sweep(aws: Aws, setting: Setting, *, dry_run: bool = False) -> dict[str, Any]:
    """Look at everything and do what is to be done, or with `dry_run` only say what would be.

    Answers `findings`: a list of objects with `camera`, `processor`, `would`, `why` and, where
    something was done, `result` and `failed`.
    """
    rules = advance.rules(setting)
    if dry_run:
        found = answers.follow(aws, setting, sweeping.find(rules, answers.GIVEN))
        return {"findings": [_plain(each) for each in found]}
    swept = answers.follow(aws, setting, sweeping.sweep(rules, answers.GIVEN))
    findings = [
        {**_plain(each.finding), "result": each.result, "failed": each.failed} for each in swept
    ]
    journal.note("swept", findings=[each for each in findings if each["would"] != Would.LEAVE])
    return {"findings": findings}


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "camera": finding.camera,
        "processor": finding.processor,
        "would": finding.would.value,
        "why": finding.why,
    }
