"""The reference table kept on disk, and rows joined from it: one by one, or a long table in parts."""
