"""Settings: what they are, how they are read and judged, how they are logged.

Imports nothing else of ours.
."""
