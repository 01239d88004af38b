"""What the service of the original raised."""

from headway.errors import HeadwayError

ServiceException = HeadwayError
"""Anything that a workspace refuses."""
