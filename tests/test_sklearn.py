"""GenURL as a scikit-learn transformer: its checks, and what people do with transformers."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, kneighbors_graph
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from genurl_graph import GenURL
from tests.conftest import threads

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")


# Skipped by scikit-learn itself: check_array_api_input, unless SCIPY_ARRAY_API=1 is in the environment.
@pytest.mark.usefixtures("short_table")
@parametrize_with_checks([GenURL(epochs=4), GenURL(epochs=2, encoder="mlp", config={"encoder.hidden": 16})])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_pipeline_and_grid_search(digits):
    x, y = (part[:600] for part in digits)
    pipeline = make_pipeline(StandardScaler(), GenURL(random_state=0, epochs=60), KNeighborsClassifier(5))
    search = GridSearchCV(pipeline, {"genurl__n_neighbors": [5, 10]}, cv=3).fit(x, y)
    # New samples, placed by their neighbours: far above the 0.1 of guessing and the 0.55 of two components.
    assert search.best_score_ > 0.85
    assert search.best_params_["genurl__n_neighbors"] in (5, 10)


def test_names_of_columns_and_pandas(digits):
    pd = pytest.importorskip("pandas")
    x, _ = digits
    frame = pd.DataFrame(x[:100], columns=[f"pixel {i}" for i in range(x.shape[1])])
    model = GenURL(epochs=5, random_state=0).set_output(transform="pandas")
    found = model.fit_transform(frame)
    assert list(found.columns) == ["genurl0", "genurl1"]
    assert found.index.equals(frame.index)
    assert list(model.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame.rename(columns={"pixel 0": "first"}))


def test_float32_sparse_input_and_clone(digits):
    x = digits[0][:600]
    model = GenURL(epochs=20, random_state=0, deterministic=True)
    dense = model.fit_transform(x)
    assert dense.dtype == np.float32
    sparse = clone(model).fit_transform(sp.csr_matrix(x))
    np.testing.assert_array_equal(sparse, dense)  # a third of the pixels is not zero: kept dense
    thin = sp.random(200, 500, 0.01, format="csr", random_state=0)
    assert np.isfinite(clone(model).fit_transform(thin)).all()


def test_deterministic_whatever_the_number_of_threads(digits):
    x = digits[0][:600]
    found = []
    for count in (1, 2):
        with threads(count):
            found.append(GenURL(epochs=60, random_state=0, deterministic=True).fit_transform(x))
    np.testing.assert_array_equal(*found)
    # Without it sums differ in their last bits, which many steps enlarge: the tolerance is one of neighbourhoods.
    with threads(2):
        free = GenURL(epochs=60, random_state=0).fit_transform(x)
    near, others = (kneighbors_graph(z, 10) for z in (found[0], free))
    assert near.multiply(others).sum() / near.sum() > 0.9
