"""What the shape of the code and the words about it promise."""
