"""Program search: learning a definition from two tables without labels."""
