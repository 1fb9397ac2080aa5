"""Asterisk over AMI: what happens on the PBX becomes tracked calls."""
