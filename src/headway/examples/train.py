"""Train a small neural network on two half moons, with numpy alone.

    headway submit --follow train.py --epochs 30

Everything that has to do with Headway is the two lines with ``run`` in ``main``.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headway import Run

Array = NDArray[np.float64]


class Epoch(NamedTuple):
    """How well the network does after an epoch, on points that it was not trained on."""

    loss: float
    accuracy: float


class Network:
    """Two inputs, one hidden layer, one output: the probability of the second moon."""

    def __init__(self, hidden: int, random: np.random.Generator) -> None:
        self.weights = [random.normal(0, 1, (2, hidden)), random.normal(0, 0.3, (hidden, 1))]
        self.biases = [np.zeros(hidden), np.zeros(1)]

    def predict(self, points: Array) -> Array:
        """The probability for each point."""
        return self._forward(points)[1]

    def learn(self, points: Array, moons: Array, rate: float) -> None:
        """Take one step down the gradient of the loss."""
        hidden, predicted = self._forward(points)
        error = (predicted - moons) / len(points)
        below = error @ self.weights[1].T * (1 - hidden**2)
        for layer, inputs, slope in ((1, hidden, error), (0, points, below)):
            self.weights[layer] -= rate * (inputs.T @ slope)
            self.biases[layer] -= rate * slope.sum(axis=0)

    def save(self, path: Path) -> None:
        """Keep what was learned."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, w0=self.weights[0], b0=self.biases[0], w1=self.weights[1], b1=self.biases[1])

    def _forward(self, points: Array) -> tuple[Array, Array]:
        hidden = np.tanh(points @ self.weights[0] + self.biases[0])
        return hidden, 1 / (1 + np.exp(-(hidden @ self.weights[1] + self.biases[1])))


def two_moons(count: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Points of two half moons that reach into each other, and which moon each belongs to."""
    moons = random.integers(0, 2, count).astype(np.float64)
    angles = random.uniform(0, np.pi, count)
    x = np.where(moons == 0, np.cos(angles), 1 - np.cos(angles))
    y = np.where(moons == 0, np.sin(angles), 0.5 - np.sin(angles))
    points = np.column_stack((x, y)) + random.normal(0, 0.15, (count, 2))
    return points, moons[:, np.newaxis]


def fit(
    rate: float, epochs: int, *, points: int = 40_000, seed: int = 0, model: Path | None = None
) -> Iterator[Epoch]:
    """Train, and say after each epoch how well it goes; keep the model at the end if asked to."""
    random = np.random.default_rng(seed)
    network = Network(32, random)
    inputs, moons = two_moons(points, random)
    test_inputs, test_moons = two_moons(2_000, random)
    for _ in range(epochs):
        for batch in np.array_split(random.permutation(points), max(1, points // 16)):
            network.learn(inputs[batch], moons[batch], rate)
        yield _measure(network, test_inputs, test_moons)
    if model is not None:
        network.save(model)


def _measure(network: Network, points: Array, moons: Array) -> Epoch:
    predicted = np.clip(network.predict(points), 1e-12, 1 - 1e-12)
    loss = -np.mean(moons * np.log(predicted) + (1 - moons) * np.log(1 - predicted))
    return Epoch(float(loss), float(np.mean((predicted > 0.5) == (moons > 0.5), dtype=np.float64)))


def main() -> None:
    """Read the arguments, train, log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=0.01, help="learning rate")
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()

    run = Run.get_context()
    epochs = fit(options.rate, options.epochs, model=Path("outputs", "model.npz"))
    for number, (loss, accuracy) in enumerate(epochs, start=1):
        run.log_metrics({"loss": loss, "accuracy": accuracy}, step=number)
        print(f"epoch {number:3}  loss {loss:.4f}  accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
