"""The whole service over real sockets."""
