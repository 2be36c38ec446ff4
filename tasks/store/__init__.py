"""The storage folder: where it is, the files in it, which code made them, and what may be deleted."""
