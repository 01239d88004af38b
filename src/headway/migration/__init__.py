"""What of the ``azureml`` API code uses, found without executing it, and what becomes of it."""
