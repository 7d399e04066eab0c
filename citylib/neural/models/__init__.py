"""Models, one a file, with the shapes of their arrays in the names."""
