"""A training script: arguments in, metrics, a picture and a model out."""

import argparse
import os

import joblib
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--alpha", type=float, default=0.5)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

run = Run.get_context()
run.log("alpha", float(args.alpha))

X, y = load_diabetes(return_X_y=True)
run.log("rows", np.int64(X.shape[0]))
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=args.seed)
model = Ridge(alpha=args.alpha).fit(X_train, y_train)
predicted = model.predict(X_test)
run.log("mse", mean_squared_error(y_test, predicted))
run.log_list("coefficients", model.coef_)
run.log_row("prediction", actual=y_test[0], predicted=predicted[0])

plt.scatter(y_test, predicted)
run.log_image("actual_over_predicted", plot=plt)

os.makedirs("outputs", exist_ok=True)
joblib.dump(value=model, filename="outputs/model.pkl")
os.makedirs("logs", exist_ok=True)
with open("logs/notes.txt", "w") as notes:
    notes.write("done\n")
run.complete()
