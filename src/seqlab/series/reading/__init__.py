"""One column of numbers from a table of a user: the cells of its file, its numbers, its times, and all of them."""
