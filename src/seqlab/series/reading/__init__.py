"""Reading of columns of numbers from a table: cells, numbers, times, and whole columns."""
