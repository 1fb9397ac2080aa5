"""What the command line's words do; gateway.__main__ reads the words."""
