"""Tests; not part of the distribution."""
