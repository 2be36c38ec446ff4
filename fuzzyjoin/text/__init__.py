"""Text: preprocessing, tokens, and many texts as one array."""
