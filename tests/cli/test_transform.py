"""``genurl-graph transform``: a saved model on the command line."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(params=["mlp", "free"])
def model(run, request: pytest.FixtureRequest) -> np.ndarray:
    """A model in ./model, trained on ./x.npy; its embedding is returned."""
    rng = np.random.default_rng(0)
    np.save("x.npy", rng.standard_normal((80, 6)).astype(np.float32))
    run(
        *("embed", "--input", "x.npy", "--encoder", request.param, "--epochs", 3, "--seed", 0, "--device", "cpu"),
        *("--output", "z.npy", "--save-model", "model"),
    )
    return np.load("z.npy")


def test_training_data_through_the_saved_model_is_the_embedding(run, model: np.ndarray) -> None:
    run("transform", "--model", "model", "--input", "x.npy", "--output", "again.npy")
    np.testing.assert_allclose(np.load("again.npy"), model, rtol=1e-4, atol=1e-5)


def test_some_rows_give_the_same_as_all_rows(run, model: np.ndarray) -> None:
    np.save("few.npy", np.load("x.npy")[[5, 3]])
    result = run("transform", "--model", "model", "--input", "few.npy", "--output", "few.csv")
    assert "few.csv" in result.stdout
    table = np.loadtxt("few.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(table[:, 1:], model[[5, 3]], rtol=1e-4, atol=1e-5)


def test_bad_input(run, model: np.ndarray) -> None:
    np.save("wide.npy", np.ones((4, 7)))
    for words, message in (
        (("--model", "model", "--input", "wide.npy", "--output", "o.npy"), "6"),
        (("--model", "nowhere", "--input", "x.npy", "--output", "o.npy"), "nowhere"),
        (("--model", "model", "--input", "x.npy", "--output", "o.doc"), "o.doc"),
    ):
        result = run("transform", *words, code=2)
        assert message in result.stderr
        assert not Path("o.npy").exists()


PEOPLE = "id,age,income,team\n" + "".join(f"{i},{20 + 7 * i % 31},{1_000 + 977 * i},{'ab'[i % 2]}\n" for i in range(40))


def test_new_rows_are_read_with_the_columns_of_the_model(run) -> None:
    Path("people.csv").write_text(PEOPLE)
    run(
        *("embed", "--input", "people.csv", "--column", "feature=age,income", "--encoder", "mlp", "--epochs", 2),
        *("--seed", 0, "--device", "cpu", "--save-model", "model", "--output", "z.npz"),
    )
    header, *rows = PEOPLE.splitlines()
    Path("few.csv").write_text("\n".join([header, *rows[5:8]]))
    text = run("transform", "--model", "model", "--input", "few.csv", "--output", "few.npz").stdout
    assert "features: age, income (standardised) (by the plan of the model)\n" in text
    assert text.count("features: ") == 1
    np.testing.assert_allclose(np.load("few.npz")["embedding"], np.load("z.npz")["embedding"][5:8], atol=1e-5)
    Path("poor.csv").write_text("id,age\n1,30\n2,40\n")
    assert "'income'" in run("transform", "--model", "model", "--input", "poor.csv", "--output", "o.npz", code=2).stderr
