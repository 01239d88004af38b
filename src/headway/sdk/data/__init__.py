"""Data that runs read and write: datastores, datasets, references, inputs and outputs."""
