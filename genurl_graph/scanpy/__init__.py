"""Single cells in scanpy's manner: ``tl.genurl`` adds a map to an AnnData object, ``pl.genurl`` draws it.

>>> import genurl_graph.scanpy as gs
>>> gs.tl.genurl(adata)  # doctest: +SKIP
>>> gs.pl.genurl(adata, color="louvain")  # doctest: +SKIP

`tl` needs nothing but the object; `pl` needs the extra ``scanpy``.
"""

from genurl_graph.scanpy import pl, tl

__all__ = ["pl", "tl"]
