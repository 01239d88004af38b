"""What Headway and its peers are compared in: a function for each topic, over a field of peers."""
