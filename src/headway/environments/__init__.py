"""Python environments for runs: what was asked for, made once with uv, and what it holds.

``pip_file`` and ``conda_file`` read what users write into an ``EnvironmentSpec``,
``EnvironmentStore.hold`` makes it or finds it made, and ``describe`` says what an interpreter has
installed. Nothing is imported here: most runs that are submitted need neither uv nor YAML.
"""
