"""Hyperparameters as child runs, and the best of them."""

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

from azureml.core import Experiment, Run, Workspace

ws = Workspace.from_config()
experiment = Experiment(ws, "sweep")
run = experiment.start_logging(snapshot_directory=None)
X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
alphas = np.arange(0.1, 1.0, 0.3)
run.log("alpha_value", "several")
for alpha in alphas:
    with run.child_run(name=f"alpha-{alpha:.1f}") as child:
        model = Ridge(alpha=alpha).fit(X_train, y_train)
        child.log(name="alpha", value=alpha)
        child.log(name="mse", value=mean_squared_error(y_test, model.predict(X_test)))
run.complete()

best_run, best_mse = None, None
for child in run.get_children():
    metrics = child.get_metrics()
    if best_mse is None or metrics["mse"] < best_mse:
        best_run, best_mse = child, metrics["mse"]
best_run.tag("best", "yes")
print("best alpha", best_run.get_metrics()["alpha"])

everything = run.get_metrics(recursive=True)
assert len(everything) == len(alphas) + 1
[again] = run.get_children(tags={"best": "yes"})
assert again.id == best_run.id
assert again.parent.id == run.id
assert Run(experiment, run.id).get_metrics() == {"alpha_value": "several"}

children = run.experiment.start_logging().create_children(tag_key="fold", tag_values=["1", "2"])
assert [child.get_tags()["fold"] for child in children] == ["1", "2"]
for child in children:
    child.complete()
children[0].parent.complete()
