"""What decides a match, and what was learned beside it, as values and as JSON."""
