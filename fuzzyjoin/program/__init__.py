"""The program in the user's hand: loaded, applied, explained, and what joining by it gives."""
