"""Who handles what: pure rules of distribution and time."""
