"""What the original sent home. Nothing is sent here."""


def set_diagnostics_collection(send_diagnostics: bool = True, verbosity: object = None) -> None:
    """Accepted and ignored: there is nothing to switch on or off."""
