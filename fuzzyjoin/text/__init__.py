"""Text: preprocessing, tokens, and many texts as one array."""

from fuzzyjoin.text.long_texts import MOST_CHARACTERS, LongPairs, long_pairs
from fuzzyjoin.text.preprocessing import PREPROCESSINGS, blocking_text, lower, preprocess, punctuation_to_space
from fuzzyjoin.text.text_array import Texts, object_array
from fuzzyjoin.text.tokens import TOKENISERS, WEIGHTINGS, Sets, TokenIndex, TokenSets, Vocabulary, on_grid, words

__all__ = [
    "MOST_CHARACTERS",
    "PREPROCESSINGS",
    "TOKENISERS",
    "WEIGHTINGS",
    "LongPairs",
    "Sets",
    "Texts",
    "TokenIndex",
    "TokenSets",
    "Vocabulary",
    "blocking_text",
    "long_pairs",
    "lower",
    "object_array",
    "on_grid",
    "preprocess",
    "punctuation_to_space",
    "words",
]
