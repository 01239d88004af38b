"""The database: one schema, written once in the SQL that SQLite and PostgreSQL both understand.

``base`` is the contract that a database fulfils, ``sqlite`` the embedded one, ``migrations`` the
schema. The other modules hold the statements of one noun each, as functions over a ``Transaction``;
they know nothing of what a status may become or of who may do what. That is ``headway.service``.
"""
