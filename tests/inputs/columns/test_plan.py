"""What becomes of every raw column, said in a line and learned once."""

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.columns.plan import FeaturePlan

RNG = np.random.default_rng(0)
N = 200


def people():
    """Raw columns as a text file has them: text wherever a cell is no number."""
    rng = np.random.default_rng(1)
    age = [f"{a:.1f}" for a in rng.normal(40, 12, N)]
    for i in (3, 50, 77):
        age[i] = ""
    country = rng.choice(["DE", "FR", "US"], N)
    country[[5, 6]] = ""
    country[[9]], country[[10]] = "AX", "BX"
    return pd.DataFrame(
        {
            "customer_id": [f"c-{i:04}" for i in rng.permutation(N)],
            "age": age,
            "income": rng.lognormal(10, 1, N),
            "country": country,
            "joined": [str(date(2019, 1, 1) + timedelta(int(d))) for d in rng.integers(0, 1500, N)],
            "active": rng.choice(["yes", "no"], N),
            "visits": rng.integers(0, 6, N),
            "note": [" ".join(rng.choice(["late", "payer", "small", "shop", "town", "good"], 5)) for _ in range(N)],
            "const": 7,
            "nothing": "",
        }
    )


def dense(x):
    return x.to_dense() if x.layout == torch.sparse_csr else x


def encoded(plan, table):
    return pd.DataFrame(dense(plan.apply(table)).numpy(), columns=plan.names)


def test_every_column_is_accounted_for_in_a_line():
    plan = FeaturePlan.fit(people())
    median = np.median([float(a) for a in people().age if a])
    income = people().income.median()
    assert plan.lines() == [
        "customer_id: left out, an id (every value differs)",
        f"age: number, standardised (median {median:.6g}; 3 missing cells imputed, with an indicator)",
        f"income: number, standardised (median {income:.6g})",
        "country: 5 categories, one-hot (2 rare ones together; 2 missing as a category of its own)",
        "joined: date, days, month and weekday (cyclic)",
        "active: yes/no, as 1/0",
        "visits: number, standardised (median 3)",
        "note: left out, text (--set input.text=tfidf uses it)",
        "const: left out, constant",
        "nothing: left out, no value in any row",
    ]
    assert plan.summary() == (
        "features: age, income, visits (standardised), country (5 categories), joined (date), active (yes/no); "
        "left out: customer_id (an id: every value differs), note (text: --set input.text=tfidf uses it), "
        "const (constant), nothing (no value in any row)"
    )
    assert dict.fromkeys(plan.groups) == dict.fromkeys(["age", "income", "country", "joined", "active", "visits"])


def test_each_raw_column_has_variance_1():
    for text in ("drop", "tfidf"):
        plan = FeaturePlan.fit(people(), text=text)
        x = encoded(plan, people())
        variance = x.var(ddof=0).groupby(np.array(plan.groups)).sum()
        np.testing.assert_allclose(variance, 1.0, rtol=1e-4)
        assert len(variance) == (7 if text == "tfidf" else 6)


def test_a_row_is_encoded_alike_whatever_comes_with_it():
    table, plan = people(), FeaturePlan.fit(people(), text="tfidf")
    whole = dense(plan.apply(table))
    order = RNG.permutation(N)
    assert torch.equal(dense(plan.apply(table.iloc[order])), whole[order])
    assert torch.equal(dense(plan.apply(table[table.columns[::-1]].assign(more=1))), whole)
    for i in (0, 3, 9):
        assert torch.equal(dense(plan.apply(table.iloc[i : i + 1]))[0], whole[i])


def test_the_order_of_the_fitted_rows_does_not_matter():
    table = people()
    assert FeaturePlan.fit(table) == FeaturePlan.fit(table.iloc[RNG.permutation(N)])


def test_a_plan_is_json_and_back():
    for text in ("drop", "tfidf"):
        plan = FeaturePlan.fit(people(), text=text)
        again = FeaturePlan.from_dict(json.loads(json.dumps(plan.to_dict())))
        assert again == plan
        assert torch.equal(dense(again.apply(people())), dense(plan.apply(people())))
    for damage in ({}, {"named": True}, {"named": True, "columns": [{"name": "a", "kind": "odd"}]}, []):
        with pytest.raises(InputError, match="plan of the features"):
            FeaturePlan.from_dict(damage)


def test_new_rows_with_other_cells_are_refused_by_name():
    plan = FeaturePlan.fit(people())
    for name, cell in (("age", "old"), ("active", "perhaps"), ("joined", "soon")):
        with pytest.raises(InputError, match=rf"new rows, column '{name}': found .*'{cell}'"):
            plan.apply(people().assign(**{name: [cell, *people()[name][1:]]}), "new rows")
    with pytest.raises(InputError, match="no 'country'"):
        plan.apply(people().drop(columns="country"))
    plan.apply(people().drop(columns=["note", "const", "customer_id"]))


def test_values_that_the_fit_has_not_seen():
    table = people()
    plan, new = FeaturePlan.fit(table), table.iloc[:2].assign(country=["XX", ""], income=np.nan, active="")
    x = encoded(plan, new)
    assert x.loc[0, "country=(rare)"] > 0
    assert x.loc[1, "country=(missing)"] > 0
    assert (x[["income", "active"]] == 0).all(axis=None)
    plain = FeaturePlan.fit(pd.DataFrame({"a": ["x", "y"] * 10, "b": range(5, 25)}))
    assert not encoded(plain, pd.DataFrame({"a": ["z"], "b": [5]}))[["a=x", "a=y"]].any(axis=None)


def test_numbers_are_clipped_at_five_deviations():
    income = pd.Series([*RNG.normal(100, 10, 99), 1e9])
    x = encoded(
        FeaturePlan.fit(pd.DataFrame({"income": income, "group": ["a", "b"] * 50})),
        pd.DataFrame({"income": income, "group": "a"}),
    )
    assert 4 < x["income"].max() < 6


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["true", "False"] * 10, "yes/no"),
        (["Y", "n"] * 10, "yes/no"),
        ([True, False] * 10, "yes/no"),
        ([1, 0, None, 1] * 5, "yes/no"),
        (["m", "f"] * 10, "2 categories"),
        (["VIP", ""] * 10, "1 category"),
        ([None, pd.NA, "", "n/a"] * 5, "left out, no value"),
        (["12", "13.5", "?", "-1e3"] * 5, "number"),
        ([1, 2, 3, 4] * 5, "number"),
        ([*range(20)], "left out, an id"),
        ([*range(100, 120)], "left out, an id"),
        ([i * 7 for i in range(20)], "number"),
        ([i / 2 for i in range(20)], "number"),
        ([f"u{i}" for i in range(20)], "left out, an id"),
        ([f"user {i} of many" for i in range(20)], "left out, text"),
        ([f"2024-01-{i + 1:02}" for i in range(20)], "date, days and weekday"),
        ([f"2024-0{i % 9 + 1}-01T12:00:0{i % 9}" for i in range(20)], "date"),
        ([f"{i + 1}.01.2024" for i in range(20)], "date"),
        ([f"{i % 12 + 1}/{i % 11 + 1}/2024" for i in range(20)], "left out, dates whose day and month"),
        ([f"{i + 5}/01/2024" for i in range(20)], "date"),
        ([date(2024, 1, i + 1) for i in range(20)], "date"),
        (pd.date_range("2024-01-01", periods=20, tz="Europe/Berlin"), "date"),
        (pd.Categorical(["a", "b"] * 10), "2 categories"),
        (pd.array([1, None, 3, 8] * 5, dtype="Int64"), "number"),
        (pd.to_timedelta(RNG.normal(size=20), unit="h"), "number"),
        ([[1, 2]] * 20, "left out, neither"),
    ],
)
def test_kinds_of_columns(cells, kind):
    table = pd.DataFrame({"a": cells, "b": ["x", "y"] * 10})
    plan = FeaturePlan.fit(table)
    assert plan.lines()[0].startswith(f"a: {kind}")
    assert bool(torch.isfinite(dense(plan.apply(table))).all())


def test_a_few_words_among_numbers_count_as_missing():
    table = pd.DataFrame({"a": [*map(str, RNG.normal(size=97)), "unknown", "unknown", "low"], "b": ["x", "y"] * 50})
    plan = FeaturePlan.fit(table)
    assert "3 missing cells imputed, with an indicator, among them 'low', 'unknown'" in plan.lines()[0]
    assert encoded(plan, table)["a (missing)"].gt(0).sum() == 3


def test_ids_by_name():
    n = 30
    values = RNG.permutation(1000)[:n]
    names = ["id", "user_id", "userId", "Customer ID", "key", "paid", "covid", "price"]
    plan = FeaturePlan.fit(pd.DataFrame(dict.fromkeys(names, values)))
    assert [c.is_used for c in plan.columns] == [False] * 5 + [True] * 3
    real = pd.DataFrame({"id": RNG.normal(size=n), "b": ["x", "y"] * 15})
    assert FeaturePlan.fit(real).columns[0].is_used
    assert not FeaturePlan.fit(real, ids=["id"]).columns[0].is_used


def test_matrices_that_need_nothing_have_no_plan():
    assert FeaturePlan.fit(RNG.normal(size=(50, 20))) is None
    assert FeaturePlan.fit((RNG.random((50, 40)) < 0.1).astype(float)) is None
    assert FeaturePlan.fit(pd.DataFrame(RNG.normal(size=(50, 20)))) is None
    units = RNG.normal(5, 1, (50, 4)) * [1, 10, 100, 1e5]
    assert FeaturePlan.fit(units, scale="none") is None
    assert FeaturePlan.fit(units[:, :1], graph=True) is not None


@pytest.mark.parametrize("kind", ["array", "frame", "tensor", "columns"])
def test_units_are_standardised_alike_in_any_form(kind):
    units = RNG.normal(5, 1, (50, 4)) * [1, 10, 100, 1e5]
    made = {"array": units, "frame": pd.DataFrame(units), "tensor": torch.from_numpy(units), "columns": units}[kind]
    plan = FeaturePlan.fit(made, scale="columns" if kind == "columns" else "auto")
    x = plan.apply(made)
    assert x.dtype == torch.float32
    np.testing.assert_allclose(x.numpy().var(0), 1, rtol=1e-4)
    assert torch.equal(x, plan.apply(units))
    with pytest.raises(InputError, match="found 3 features; the model was fitted on 4"):
        plan.apply(units[:, :3])


def test_seconds_since_1970_keep_their_digits():
    seconds = 1.7e9 + RNG.normal(size=(300, 4)) * 30
    plan = FeaturePlan.fit(seconds)
    assert {c.how for c in plan.columns} == {"centred"}
    expected = seconds - np.median(seconds, axis=0)
    np.testing.assert_allclose(plan.apply(seconds), expected, rtol=1e-5, atol=1e-5)
    assert not plan.is_scaled


def test_hidden_faults_are_named():
    with pytest.raises(InputError, match="two columns named 'a'"):
        FeaturePlan.fit(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(InputError, match="infinite"):
        FeaturePlan.fit(pd.DataFrame({"a": [1.0, np.inf, 2.0], "b": ["x", "y", "x"]}))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=6), st.integers(-9, 9), st.floats(-1e9, 1e9), st.booleans(), st.dates()),
        min_size=3,
        max_size=30,
    ),
    st.sampled_from(["drop", "tfidf"]),
)
def test_any_cells_become_finite_numbers_or_are_left_out(cells, text):
    table = pd.DataFrame({"a": pd.Series(cells, dtype=object)})
    plan = FeaturePlan.fit(table, text=text)
    if plan is None:
        return
    x = dense(plan.apply(table))
    assert x.shape == (len(cells), len(plan.names))
    assert bool(torch.isfinite(x).all())
    assert len(plan.lines()) == 1
    assert FeaturePlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
