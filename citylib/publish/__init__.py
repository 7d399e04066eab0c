"""The rendered book: pages made from finished runs, and the pages around them."""
