"""The Python and the packages that a program is to run with, as users describe them."""
