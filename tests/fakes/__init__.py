"""Stand-ins for what lies beyond a port."""
