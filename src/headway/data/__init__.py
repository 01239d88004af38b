"""Data for programs: folders and object stores, and tables read from files."""
