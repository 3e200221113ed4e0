"""Typed edges that come in, and their parts for training, validation and test."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeGuard

from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from genurl_graph.experiments.sources import Source
    from genurl_graph.inputs.triples import TripleSet


def load_triples(source: "Source", option: str = "--protocol triples") -> "TripleSet":
    """The typed edges of a data set, or of the user's own file or folder; InputError, about an option, for others."""
    from genurl_graph import datasets
    from genurl_graph.datasets.readers import read_triples

    if source.own is not None:
        return read_triples(source.own, source.features, source.labels, source.options)
    return triples_of(datasets.load(str(source.dataset), source.data_root), option)


def wants_triples(source: "Source", task: str) -> bool:
    """Whether a run reads types of edges: its task says so or, with "auto", the data set, or what the user says."""
    if task != "auto":
        return task == "triples"
    if source.own is not None:
        from genurl_graph.datasets.readers.triples import holds_split

        said = source.options.reading
        return said == "triples" or (said is None and source.own.is_dir() and holds_split(source.own))
    from genurl_graph import datasets

    assert source.dataset is not None
    return datasets.info(source.dataset).n_triples > 0


def is_triple_set(data: Any) -> "TypeGuard[TripleSet]":
    """Whether `data` holds typed edges, between entities that are the rows of an embedding."""
    # Loaded late: --help needs no torch.
    from genurl_graph.inputs.triples import TripleSet

    return isinstance(data, TripleSet)


def triples_of(data: Any, option: str = "--task triples") -> "TripleSet":
    """The typed edges of a data set; InputError, about the option that asks for them, where it has none."""
    from genurl_graph.inputs.triples import TripleSet

    if not isinstance(data, TripleSet):
        raise InputError(f"{option}: found a data set without relations; expected typed edges, such as umls")
    return data


def describe_triples(data: "TripleSet") -> str:
    """What came in, in words."""
    parts = [f"{len(data):,} entities", f"{data.triples.num_relations:,} relations", f"{len(data.triples):,} triples"]
    parts += [
        f"{modality.name}: {modality.x.size(1):,} features of {len(modality.entity):,} entities"
        for modality in data.modalities
    ]
    return ", ".join(parts)


def parts_of(data: "TripleSet", seed: int) -> "TripleSet":
    """The set with its own parts, or with parts that are drawn by the seed where it has no test triples."""
    from genurl_graph.evaluation.triples.held_out import with_held_out

    return with_held_out(data, seed)


def training_part(data: "TripleSet") -> "TripleSet":
    """What a model may see: neither the triples that it is judged by nor those that ranks leave out."""
    return dataclasses.replace(data, valid=None, test=None, known=None)


def split_lines(data: "TripleSet") -> Iterator[str]:
    """What is held out, and what cannot be known of it, for the user."""
    from genurl_graph.evaluation.triples.held_out import TEST_SHARE, VALID_SHARE, unseen

    if data.test is None or not len(data.test):
        shares = " and ".join(f"{100 * share:g} %" for share in (VALID_SHARE, TEST_SHARE))
        yield f"no test part: {shares} of the triples are held out for validation and test, by the seed"
        return
    known, valid = len(data.triples), 0 if data.valid is None else len(data.valid)
    yield f"{known:,} / {valid:,} / {len(data.test):,} triples for training / validation / test"
    if strange := unseen(data, data.test):
        yield f"{strange:,} test triples have an entity or a relation that the training lacks: nothing tells of them"


def triple_record(data: "TripleSet") -> dict[str, Any]:
    """What a metrics file holds of typed edges, beside what it holds of any input."""
    held = {
        f"n_{part}": None if each is None else len(each) for part, each in (("valid", data.valid), ("test", data.test))
    }
    return {"n_triples": len(data.triples), "n_relations": data.triples.num_relations, **held}
