"""Headway starts, monitors and cancels training runs."""
