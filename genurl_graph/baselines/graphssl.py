"""DGI, GraphCL, BGRL, VICReg and Barlow Twins as the optional package graphssl has them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from genurl_graph.baselines import missing_package
from genurl_graph.baselines.common import prepare
from genurl_graph.exceptions import wrong
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.random import seeded_globally

# Our name -> the package's.
MODELS = {"dgi": "dgi", "graphcl": "graphcl", "graphssl-bgrl": "bgrl", "vicreg": "vicreg", "barlow": "barlow_twins"}


def require(name: str) -> None:
    """InputError that names the extra, where the package is absent."""
    if find_spec("graphssl") is None:
        raise missing_package(name, "graphssl")


def embed(name: str, data: Any, seed: int, device: str | torch.device, settings: dict[str, Any]) -> Tensor:
    """Embedding [n, hidden] by one of graphssl's models, trained by graphssl's own loop.

    Encoder, augmentations, optimiser and number of steps are those of the package's own benchmark (graphssl 0.2,
    ``benchmarks/run_benchmark.py --encoder gcn``): the baseline as its authors run it, not our version of
    it. Its encoders read dense features.

    Parameters
    ----------
    name, data, seed, device, settings
        As in `genurl_graph.baselines.get_baseline`.

    Raises
    ------
    InputError
        The package is absent, or the graph has no edges or no features.
    """
    require(name)
    from torch_geometric.data import Data

    if getattr(data, "x", None) is None:
        raise wrong(name, "a data set without node features", "some, which graphssl's encoders need")
    from graphssl.config.load import build_model
    from graphssl.training import DINOTrainer

    graph = prepare(name, data, settings["normalize"])
    x = graph.features.x
    view = Data(x=x.to_dense() if x.layout == torch.sparse_csr else x, edge_index=graph.propagation.operator("edges"))
    device = choose_device(device)
    with seeded_globally(seed):
        model = build_model(model_config(name, settings), in_channels=int(x.size(1))).to(device)
        optimizer = torch.optim.AdamW(
            model.student_parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"]
        )
        # The name is historical: it trains every model of the package.
        trainer = DINOTrainer(grad_clip_norm=None, device=device)
        trainer.train(model, [view], optimizer, num_epochs=settings["epochs"])
        with torch.no_grad():
            z: Tensor = model.eval()(view.to(device))
    return z.float().cpu()


def model_config(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Configuration of a model in graphssl's terms."""
    hidden = settings["hidden"]
    config: dict[str, Any] = {
        "name": MODELS[name],
        "encoder": {
            "name": "gcn",
            "hidden_dim": hidden,
            "num_layers": settings["layers"],
            "norm_type": "batch",
            "pool": False,
            "drop": 0.0,
        },
    }
    if name != "dgi":  # which corrupts the features instead
        config["augment"] = [
            {"name": "edge_drop", "p": settings["drop_edges"]},
            {"name": "feat_mask", "p": settings["drop_features"]},
        ]
    if name == "graphssl-bgrl":
        config |= {
            "pred_hidden": hidden,
            "ema_tau": settings["ema"],
            "ema_tau_end": 1.0,
            "total_steps": settings["epochs"],
        }
    return config
