"""A run around its steps: its lock and record, its success in words, what may be seen of it, the files it leaves."""
