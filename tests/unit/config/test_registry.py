"""The kinds of connectors."""

import importlib
import sys
from pathlib import Path

import pytest

from config.settings import ConnectorSettings
from connectors import registry


def test_every_kind_has_settings_of_its_own_that_extend_the_common_ones() -> None:
    for kind in registry.KINDS.values():
        assert issubclass(kind.settings, ConnectorSettings)
        assert kind.settings is not ConnectorSettings


def test_no_kind_is_both_built_and_not_built() -> None:
    assert not registry.KINDS.keys() & registry.KNOWN.not_built


def test_a_kinds_code_is_imported_only_when_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_late_connector.py").write_text("class Late:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    late = registry.Kind(ConnectorSettings, "a_late_connector:Late")
    monkeypatch.setattr(registry, "KINDS", {"late": late})
    assert "a_late_connector" not in sys.modules
    made = registry.factory("late")
    assert made is importlib.import_module("a_late_connector").Late
