"""Secrets kept out of what is recorded of a run: the program gets them, the workspace does not.

What a run executes is shown to everybody who may read the workspace, for as long as it exists. So
``***`` stands there for the values of environment variables and arguments whose names say that they
are secret, for the user and the password in addresses, and for tokens of well-known forms. What is
secret and looks like nothing of the kind is not recognised.
"""

import re
from typing import Final

from msgspec.structs import replace

from headway.model import EnvironmentSpec, Submission
from headway.snapshots import mask_credentials

MASK: Final = "***"

_SECRET: Final = re.compile(r"token|secrets?|passw(?:or)?d|passphrase|pwd|apikey|credentials?")
_BEFORE_KEY: Final = re.compile(
    r"access|account|api|auth|encryption|license|private|secret|service|shared|signing|ssh|storage"
)
"""An argument ``--sort-key`` is none; ``--api-key`` is."""
_TOKEN_OF_TEXTS: Final = re.compile(
    r"begin|bos|cls|end|eod|eos|image|mask|max|min|new|num|pad|sep|special|start|stop|unk"
)
"""``--pad-token`` names a token of a language model."""
_NO_SECRETS: Final = frozenset({"PWD", "OLDPWD"})
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TOKEN: Final = re.compile(
    r"hw_[a-z0-9]{10}_[\w-]{43}|hc_[\w-]{43}|gh[a-z]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}"
    r"|hf_[A-Za-z]{30,}|sk-[\w-]{20,}|xox[a-z]-[\w-]{10,}|AKIA[0-9A-Z]{16}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+"
)
_SPACES: Final = re.compile(r"(\s+)")
_ASSIGNMENT: Final = re.compile(
    r"(?P<name>-{0,2}[A-Za-z][\w.\-]*)(?P<equals>=)(?P<value>.+)", re.DOTALL
)


def mask_submission(submission: Submission) -> Submission:
    """What to record of a submission. Again, it changes nothing."""
    environment = submission.environment
    return replace(
        submission,
        command=mask_arguments(submission.command),
        arguments=mask_arguments(submission.arguments),
        environment_variables=mask_variables(submission.environment_variables),
        environment=None if environment is None else _mask_environment(environment),
    )


def mask_variables(variables: dict[str, str]) -> dict[str, str]:
    """Environment variables, without the values of those that are secret."""
    return {
        name: MASK if value and _is_secret_variable(name) else mask_text(value)
        for name, value in variables.items()
    }


def mask_arguments(arguments: list[str]) -> list[str]:
    """The words of a command, without secrets."""
    masked: list[str] = []
    awaited = False
    for argument in arguments:
        hide = awaited and not argument.startswith("--")
        masked.append(MASK if hide else mask_text(argument))
        awaited = argument.startswith("-") and _is_secret_argument(argument)
    return masked


def mask_text(text: str) -> str:
    """A text of words, such as a line of a shell, without secrets."""
    words = _SPACES.split(text)
    if len(words) > 1:  # between the words stand the spaces
        words[::2] = mask_arguments(words[::2])
        return "".join(words)
    assignment = _ASSIGNMENT.fullmatch(text)
    if assignment is None:
        return mask_credentials(_TOKEN.sub(MASK, text))
    name, value = assignment["name"], assignment["value"]
    secret = _is_secret_argument(name)
    return f"{name}={MASK if secret else mask_credentials(_TOKEN.sub(MASK, value))}"


def _mask_environment(environment: EnvironmentSpec) -> EnvironmentSpec:
    return replace(
        environment,
        pip_requirements=[mask_text(line) for line in environment.pip_requirements],
        pip_options=[mask_text(line) for line in environment.pip_options],
        pip_constraints=[mask_text(line) for line in environment.pip_constraints],
        channels=[mask_text(channel) for channel in environment.channels],
        environment_variables=mask_variables(environment.environment_variables),
    )


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _is_secret_variable(name: str) -> bool:
    words = _words(name)
    named = any(_SECRET.fullmatch(word) for word in words) or "key" in words
    return named and name not in _NO_SECRETS


def _is_secret_argument(name: str) -> bool:
    words = _words(name)
    if not words or name.strip("-") in _NO_SECRETS:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "key":
        return _BEFORE_KEY.fullmatch(before) is not None
    if last == "token":
        return _TOKEN_OF_TEXTS.fullmatch(before) is None
    return _SECRET.fullmatch(last) is not None
