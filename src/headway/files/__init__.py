"""Where the bytes of a run's files are kept: ``base`` is the contract, ``local`` a folder."""
