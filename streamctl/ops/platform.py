"""Deploying a platform, and destroying it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from streamctl.aws import cloudformation, s3
from streamctl.aws.cloudformation import Outcome
from streamctl.aws.session import Aws
from streamctl.core import names, policy
from streamctl.errors import Busy, NotFound, StreamctlError
from streamctl.ops import bundle, inventory
from streamctl.ops.inventory import Platform

Progress = Callable[[str], None]


_CHOSEN: Final = ("MinIdleAfter", "KeepDays", "LogRetentionDays", "MaximumClocks")
"""The template's parameters that are the operator's to choose."""


def deploy(
    aws: Aws,
    name: str,
    progress: Progress,
    min_idle_after: timedelta | None = None,
    keep_days: int | None = None,
) -> tuple[Platform, Outcome]:
    """Deploy a platform or bring it up to date; it, and what that took.

    `min_idle_after`: the shortest idle time that a processor may have; `keep_days`: how long events
    and pictures are kept; None leaves each as it is. Raises Busy where somebody else destroys it
    meanwhile.
    """
    names.platform(name)
    chosen = dict[str, str]()
    if min_idle_after is not None:
        chosen["MinIdleAfter"] = f"{min_idle_after.total_seconds():.3f}".rstrip("0").rstrip(".")
    if keep_days is not None:
        chosen["KeepDays"] = str(keep_days)
    try:
        return _deploy(aws, name, progress, chosen)
    except NotFound as error:  # the bucket or the stack, both of which it has just made or seen
        raise Busy(
            f"platform {name} was destroyed while it was being deployed ({error})",
            hint=f"once nobody destroys it: {inventory.command(name)} stack deploy",
        ) from error


def _deploy(
    aws: Aws, name: str, progress: Progress, chosen: Mapping[str, str]
) -> tuple[Platform, Outcome]:
    bucket = names.artifact_bucket(aws.account, aws.region_name, name)
    parameters = {
        "Platform": name,
        "CodeBucket": bucket,
        "CodeKey": _upload(aws, bucket, progress),
        **_chosen_before(aws, name),
        **chosen,
    }
    wanted = cloudformation.Wanted(
        name=names.platform_stack(name),
        template=bundle.template("platform.yaml"),
        parameters=parameters,
        tags={policy.PLATFORM: name},
    )
    outcome = cloudformation.apply(aws, wanted, progress)
    return inventory.usable_platform(aws, name), outcome


def destroy(aws: Aws, name: str, progress: Progress) -> bool:
    """Delete a platform with its buckets; whether there was one.

    Raises StreamctlError while cameras, processors or subscribers of it are left: nobody would look
    after them, or hear anything.
    """
    names.platform(name)
    _refuse_while_used(aws, name)
    existed = True
    try:
        _empty_pictures(aws, inventory.platform(aws, name), progress)
        cloudformation.delete(aws, names.platform_stack(name), progress)
    except NotFound:
        existed = False
    progress("deleting the bucket")
    s3.delete_bucket(aws, names.artifact_bucket(aws.account, aws.region_name, name))
    return existed


def _empty_pictures(aws: Aws, found: Platform, progress: Progress) -> None:
    """CloudFormation deletes only empty buckets. What was kept goes with the platform."""
    bucket = found.outputs.get("PicturesName")
    if bucket:
        progress("deleting the pictures")
        with contextlib.suppress(NotFound):
            s3.delete_under(aws, bucket, "")


def _upload(aws: Aws, bucket: str, progress: Progress) -> str:
    """The key of the functions' code, named by its content: the same code is sent once."""
    progress(f"preparing bucket {bucket}")
    s3.ensure_bucket(aws, bucket)
    code = bundle.build()
    key = f"functions-{hashlib.sha256(code).hexdigest()[:32]}.zip"
    progress(f"uploading the functions, {len(code) / 1e6:.1f} MB")
    s3.put_new(aws, bucket, key, code)
    return key


def _chosen_before(aws: Aws, name: str) -> dict[str, str]:
    """An update that leaves a parameter out resets it to the template's default."""
    try:
        stack = cloudformation.describe(aws, names.platform_stack(name))
    except NotFound:
        return {}
    return {key: value for key, value in stack.parameters.items() if key in _CHOSEN}


def _refuse_while_used(aws: Aws, name: str) -> None:
    used_by = [camera.name for camera in inventory.cameras(aws, name)]
    if used_by:
        raise StreamctlError(
            f"platform {name} still has cameras: {', '.join(used_by)}",
            hint=f"{inventory.command(name)} camera delete {used_by[0]}",
        )
    managed = [each.name for each in inventory.processors(aws) if each.belongs_to(name)]
    if managed:
        raise StreamctlError(
            f"platform {name} still has processors: {', '.join(managed)}",
            hint=f"{inventory.command(name)} processor stop {managed[0]},"
            f" then processor delete {managed[0]}",
        )
    _refuse_while_heard(aws, name)


def _refuse_while_heard(aws: Aws, name: str) -> None:
    """AWS deletes no bus that has rules, and would find out when half of the rest is gone."""
    try:
        base = inventory.platform(aws, name)
        rules = inventory.subscribers(aws, base) if "EventQueueUrl" in base.outputs else []
    except NotFound:
        return
    if rules:
        raise StreamctlError(
            f"platform {name} still has subscribers: {', '.join(rule.name for rule in rules)}",
            hint="delete their stacks, or the rules of these names on bus"
            f" {base.outputs['BusName']}",
        )
