"""Reading of one column of numbers from a table: cells, numbers, times, and the whole column."""
