import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import HeteroData

from genurl_graph import GenURL
from genurl_graph.exceptions import InputError

PEOPLE = [f"person {k}" for k in range(40)]
TOWNS = [f"town {k}" for k in range(4)]


def facts() -> pd.DataFrame:
    """People who live in one of four towns and know others of it."""
    rows = [(person, "lives in", TOWNS[k % 4]) for k, person in enumerate(PEOPLE)]
    rows += [(PEOPLE[k], "knows", PEOPLE[(k + step) % 40]) for k in range(40) for step in (4, 8, 16)]
    return pd.DataFrame(rows, columns=["head", "relation", "tail"])


@pytest.fixture(scope="module")
def model() -> GenURL:
    held_out = facts()["head"].isin(PEOPLE[:2]) & (facts()["relation"] == "lives in")
    return GenURL(32, task="triples", epochs=20, random_state=0).fit(facts()[~held_out])


def test_a_missing_end_is_found(model):
    for k in (0, 1):
        found = model.complete(head=PEOPLE[k], relation="lives in", k=2)
        assert found["tail"][0] == TOWNS[k]
        assert not found["known"].any()
    inhabitants = model.complete(tail=TOWNS[1], relation="lives in", k=10, known=True)
    assert {PEOPLE.index(name) % 4 for name in inhabitants["head"]} == {1}
    assert inhabitants["share"].is_monotonic_decreasing
    assert len(model.complete(tail=TOWNS[1], relation="lives in", k=100)) == len(model.embedding_) - 9


def test_true_triples_score_higher(model):
    true, wrong = ([(PEOPLE[k], "lives in", TOWNS[(k + by) % 4]) for k in range(40)] for by in (0, 1))
    scores = model.score_triples(true), model.score_triples(pd.DataFrame(wrong))
    assert (scores[0] > scores[1]).all()
    assert scores[0].dtype == np.float32
    assert (scores[0] <= 0).all()


def test_relations_have_vectors_and_names(model):
    assert model.relation_embedding_.shape == (4, 32)
    assert model.relation_id_ == ["lives in", "knows", "lives in (inverse)", "knows (inverse)"]
    assert model.embedding_.shape == (44, 32)
    assert model.task_ == "triples"
    assert {*model.node_id_} == {*PEOPLE, *TOWNS}


def test_a_saved_model_answers_as_before(model, tmp_path):
    model.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    asked = {"head": PEOPLE[0], "relation": "knows"}
    pd.testing.assert_frame_equal(loaded.complete(**asked), model.complete(**asked))
    assert torch.equal(loaded.embedding_, model.embedding_)
    assert [*loaded.node_id_] == [*model.node_id_]
    new = [("newcomer", "lives in", TOWNS[2]), ("newcomer", "knows", PEOPLE[2])]
    np.testing.assert_array_equal(loaded.transform(new), model.transform(new))


def test_a_new_entity_lies_near_those_that_it_is_like(model):
    new = [("newcomer", "lives in", TOWNS[2]), ("newcomer", "knows", PEOPLE[2]), (PEOPLE[6], "knows", "newcomer")]
    z = torch.as_tensor(model.transform(new))
    names = ["newcomer", TOWNS[2], PEOPLE[2], PEOPLE[6]]
    for place, name in enumerate(names[1:], 1):
        assert torch.equal(z[place], model.embedding_[[*model.node_id_].index(name)])
    order = [*model.node_id_]
    people = torch.stack([model.embedding_[order.index(name)] for name in PEOPLE])
    near = torch.cosine_similarity(z[:1], people).topk(5).indices
    assert sum(int(k) % 4 == 2 for k in near) >= 4


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"head": "nobody", "relation": "knows"}, "nobody"),
        ({"head": PEOPLE[0], "relation": "know"}, "did you mean 'knows'"),
        ({"head": PEOPLE[0]}, "a relation and either"),
        ({"head": PEOPLE[0], "relation": "knows", "tail": PEOPLE[1]}, "a relation and either"),
        ({"head": PEOPLE[0], "relation": "knows", "k": 0}, "k: found 0"),
    ],
)
def test_wrong_questions_are_refused(model, asked, message):
    with pytest.raises(InputError, match=message):
        model.complete(**asked)


def test_new_entities_need_a_known_one(model):
    with pytest.raises(InputError, match="stranger"), pytest.warns(UserWarning, match="two new entities"):
        model.transform([("stranger", "knows", "other"), ("newcomer", "knows", PEOPLE[0])])
    with pytest.raises(InputError, match="relation"):
        model.transform([("newcomer", "hates", PEOPLE[0])])


def test_other_models_have_no_triples():
    model = GenURL(random_state=0, epochs=1).fit(np.random.default_rng(0).random((20, 3)))
    assert not hasattr(model, "relation_embedding_")
    with pytest.raises(InputError, match="typed edges"):
        model.complete(head=0, relation=0)


def test_names_of_columns_tell_head_from_tail(model):
    rows = facts().head(5)
    np.testing.assert_array_equal(model.score_triples(rows[["tail", "relation", "head"]]), model.score_triples(rows))


@pytest.mark.parametrize(
    "triples", [(PEOPLE[0], "knows", PEOPLE[4]), [(PEOPLE[0], "knows")], [("a", "b", "c"), ("a",)]]
)
def test_what_is_no_list_of_triples_is_refused(model, triples):
    with pytest.raises(InputError, match="score_triples"):
        model.score_triples(triples)


def test_node_types_have_rows_of_their_own(tmp_path):
    data = HeteroData()
    data["person"].x, data["town"].num_nodes = torch.arange(12.0).view(6, 2).square(), 3
    data["person", "lives in", "town"].edge_index = torch.stack([torch.arange(6), torch.arange(6) % 3])
    model = GenURL(8, task="triples", epochs=1, random_state=0)
    found = model.fit_transform(data)
    assert {name: [*z.shape] for name, z in found.items()} == {"person": [6, 8], "town": [3, 8]}
    model.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    assert [*loaded.node_slices_["town"]] == [6, 9]
    assert all(torch.equal(z, found[name]) for name, z in loaded.transform(data).items())
