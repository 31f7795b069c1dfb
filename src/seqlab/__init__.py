"""seqlab: how well n-grams and recurrent networks predict a text, measured so that anyone can check it."""

__version__ = "0.1.0"
