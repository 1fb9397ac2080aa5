"""Marks for what concerns one engine only."""

import pytest

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
