import sys

print("Hello from a run, on", sys.platform)
