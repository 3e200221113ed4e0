"""Communities that change are found in each window, better than without training."""

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from genurl_graph import GenURL
from genurl_graph.inputs.temporal import TemporalEdges, Trajectory

WINDOWS, NODES = 8, 300


def _events(seed: int) -> tuple[TemporalEdges, np.ndarray]:
    """Three communities, of which a fifth of the nodes changes half way; 75 % of the events are inside."""
    generator = np.random.default_rng(seed)
    label = np.repeat(generator.integers(0, 3, NODES)[:, None], WINDOWS, 1)
    label[:60, 4:] = (label[:60, 4:] + 1) % 3
    parts = []
    for window in range(WINDOWS):
        source = generator.integers(0, NODES, 600)
        target = generator.integers(0, NODES, 600)
        for k in range(3):
            inside = (label[source, window] == k) & (generator.random(600) < 0.75)
            target[inside] = generator.choice(np.flatnonzero(label[:, window] == k), int(inside.sum()))
        parts.append((source, target, window + generator.random(600)))
    return TemporalEdges.of(*(np.concatenate(part) for part in zip(*parts, strict=True)), num_nodes=NODES), label


def _nmi(found: Trajectory, label: np.ndarray) -> float:
    scores = []
    for window in range(WINDOWS):
        rows = found.rows(window)
        z = torch.nn.functional.normalize(found.embedding[rows], dim=1).numpy()
        clusters = KMeans(3, n_init=3, random_state=0).fit_predict(z)
        scores.append(normalized_mutual_info_score(label[found.node[rows].numpy(), window], clusters))
    return float(np.mean(scores))


def test_communities_of_each_window_are_found() -> None:
    edges, label = _events(0)
    model = GenURL(task="temporal", windows=str(WINDOWS), epochs=5, random_state=0).fit(edges)
    trained = _nmi(model.trajectory_, label)
    objective = model.model_.objective
    objective.encoder.load_state_dict(model.model_.initial)
    untrained = _nmi(objective.trajectory()[0], label)
    assert trained > 0.9
    assert trained > untrained + 0.1
