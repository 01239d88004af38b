"""What is recorded of a run holds no secrets that can be recognised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.hosting.masking import MASK, mask_arguments, mask_submission, mask_text, mask_variables
from headway.model import EnvironmentSpec, Submission

SECRET = "Pl4ntedS3cret"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--token", SECRET],
        [f"--token={SECRET}"],
        ["--hub_token", SECRET],
        ["--hubToken", f"-{SECRET}"],
        ["--api-key", SECRET],
        [f"--apiKey={SECRET}"],
        [f"db.password={SECRET}"],
        [f"PASSWORD={SECRET}"],
        ["-password", SECRET],
        [f"https://user:{SECRET}@host.example/x"],
        [f"--data=https://{SECRET}@host.example/x"],
        [f"git+https://{SECRET}@github.com/a/b"],
        [f"https://a.blob.example/c?sv=1&sig={SECRET}"],
        ["bash", "-c", f"HF_TOKEN={SECRET} python train.py --token {SECRET} && echo done"],
        ["python -m x", f"--index-url https://me:{SECRET}@host.example/simple pkg"],
    ],
    ids=lambda arguments: arguments[-1][:30],
)
def test_secrets_among_arguments_are_masked(arguments: list[str]) -> None:
    masked = mask_arguments(arguments)
    assert SECRET not in " ".join(masked)
    assert MASK in " ".join(masked)
    assert len(masked) == len(arguments)
    assert mask_arguments(masked) == masked


@pytest.mark.parametrize(
    "arguments",
    [
        ["--lr", "0.1", "--max-tokens", "512", "--tokenizer", "gpt2"],
        ["--pad-token", "<pad>", "--eos_token=</s>", "--max-token-length", "7"],
        ["--sort-key", "length", "--key", "image", "--label_key=y"],
        ["--password-file", "/run/secret", "--token"],
        ["--secret", "--verbose"],
        ["https://host.example/path?page=2", "s3://bucket/a@b", "user@host:path", "C:\\x"],
        ["bash", "-c", "python  train.py\n\tx=1"],
        ["", " ", "="],
    ],
    ids=lambda arguments: arguments[0],
)
def test_other_arguments_stay_as_they_are(arguments: list[str]) -> None:
    assert mask_arguments(arguments) == arguments


@pytest.mark.parametrize(
    "name",
    ["HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "WANDB_API_KEY", "DB_PASSWORD", "apiKey", "MY_KEY"],
)
def test_secret_variables_are_masked(name: str) -> None:
    assert mask_variables({name: SECRET}) == {name: MASK}
    assert mask_variables({name: ""}) == {name: ""}


@pytest.mark.parametrize(
    "name", ["TOKENIZERS_PARALLELISM", "MAX_TOKENS", "PWD", "PATH", "KEYBOARD"]
)
def test_other_variables_stay_as_they_are(name: str) -> None:
    assert mask_variables({name: "value"}) == {name: "value"}


@pytest.mark.parametrize(
    "token",
    [
        "hw_abcdefghij_" + "A" * 43,
        "ghp_" + "a1" * 18,
        "hf_" + "aB" * 17,
        "sk-" + "a" * 24,
        "AKIA" + "A" * 16,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_1",
    ],
)
def test_tokens_of_known_forms_are_masked_wherever_they_stand(token: str) -> None:
    for text in (token, f"--x={token}", f"echo '{token}' | cat"):
        assert token not in mask_text(text)
    assert mask_variables({"INNOCENT": token}) == {"INNOCENT": MASK}


def test_everything_of_a_submission_is_masked_and_nothing_else_changes() -> None:
    url = f"https://me:{SECRET}@host.example/simple"
    submission = Submission(
        command=["python", "train.py", "--token", SECRET],
        source_directory="/src",
        script="train.py",
        arguments=["--token", SECRET],
        environment_variables={"HF_TOKEN": SECRET, "N": "1"},
        environment=EnvironmentSpec(
            pip_requirements=[f"mine @ git+{url}"],
            pip_options=[f"--extra-index-url {url}"],
            pip_constraints=[f"mine @ {url}"],
            channels=[url],
            environment_variables={"MY_PASSWORD": SECRET},
        ),
        priority=3,
    )
    masked = mask_submission(submission)
    assert SECRET not in repr(masked)
    assert (masked.script, masked.priority) == ("train.py", 3)
    assert masked.environment_variables["N"] == "1"
    assert mask_submission(masked) == masked


@given(st.lists(st.text()))
def test_masking_again_changes_nothing(arguments: list[str]) -> None:
    masked = mask_arguments(arguments)
    assert mask_arguments(masked) == masked
    assert len(masked) == len(arguments)
