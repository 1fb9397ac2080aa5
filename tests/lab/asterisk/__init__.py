"""A real Asterisk for tests: chroot, configuration, start and stop, manager sessions, SIPp as phones."""
