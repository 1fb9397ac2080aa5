"""Attachments to outside systems: one folder for each, `registry` knows them all."""
