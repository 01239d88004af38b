"""Prints, sleeps, prints."""

# ruff: noqa: T201  (it prints)

import time

print("Hello, I am about to sleep.")
time.sleep(60)
print("I slept.")
