"""What a run runs in."""

from headway.errors import NotFoundError
from headway.sdk.environments.environment import Environment, environment_of_run
from headway.sdk.runs.state import RunState


class RunEnvironment(RunState):
    """The part of ``Run`` about its environment."""

    def get_environment(self) -> Environment:
        """The environment that it was submitted with.

        What that came to, package by package, is the run's file ``system_logs/environment.txt``.

        Raises:
            NotFoundError: It is an interactive run, which no environment was made for.
        """
        definition = self._record.definition
        if definition is None:
            raise NotFoundError(
                f"run {self.id} was not submitted: it runs in the Python that started it, and "
                "what that holds is not kept"
            )
        return environment_of_run(definition)
