"""What runs a user's program, anew for each run; the reporter alone needs other packages."""
