"""The chat on a client's own site: widget, visitors, form."""
