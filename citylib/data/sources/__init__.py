"""One module a data set: ``read(paths) -> Dataset`` turns its verified files into panels and tables."""
