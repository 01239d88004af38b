"""The contract of ``headway.api``, a module for each group of verbs."""
