"""How a call as it was told differs from what truly happened."""

from typing import Any

SLACK_S = 1.0
"""The players' own slowness, in seconds: the truth is when they meant to act."""


def differences(wanted: Any, got: Any, path: str = "") -> list[str]:
    """What of `wanted` is otherwise in `got`, each with its place; numbers with a point are seconds, about.

    `got` may hold more than is wanted.
    """
    if isinstance(wanted, dict) and isinstance(got, dict):
        return [d for key in wanted for d in differences(wanted[key], got.get(key), f"{path}.{key}")]
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        pairs = enumerate(zip(wanted, got, strict=True))
        return [d for i, (one, other) in pairs for d in differences(one, other, f"{path}[{i}]")]
    if isinstance(wanted, float) and isinstance(got, float):
        return [] if abs(wanted - got) <= SLACK_S else [f"{path}: {wanted} is {got}"]
    return [] if wanted == got else [f"{path}: {wanted} is {got}"]
