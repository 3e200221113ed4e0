"""Losses: plain functions of similarities P and log Q, one file a family."""

from genurl_graph.losses.barlow import barlow, barlow_terms
from genurl_graph.losses.pairwise import (
    LOSSES,
    SUM_LOSSES,
    bce,
    get_loss,
    gkl,
    gkl_dense,
    gkl_of_sums,
    huber,
    infonce,
    kl,
    l2,
    log1m,
)
from genurl_graph.losses.terms import Loss, LossTerms

__all__ = [
    "LOSSES",
    "SUM_LOSSES",
    "Loss",
    "LossTerms",
    "barlow",
    "barlow_terms",
    "bce",
    "get_loss",
    "gkl",
    "gkl_dense",
    "gkl_of_sums",
    "huber",
    "infonce",
    "kl",
    "l2",
    "log1m",
]
