"""What a contact centre is, in plain code: no I/O, no framework."""
