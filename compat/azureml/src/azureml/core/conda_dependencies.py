"""Packages of an environment."""

from headway import CondaDependencies as CondaDependencies
