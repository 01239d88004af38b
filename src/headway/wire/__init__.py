"""What client and server say to each other: the one table of operations and its forms."""
