"""Secrets."""

from headway import Keyvault as Keyvault
