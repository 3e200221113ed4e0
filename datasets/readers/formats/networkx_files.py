"""GraphML, GEXF and GML through networkx, which gets a tree that was checked, or a text that was mended."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from genurl_graph.datasets.readers.formats.file_graph import WEIGHT_NAMES, FileGraph, attribute_frame
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.safe_load import parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

GRAPHML, YED = "http://graphml.graphdrawing.org/xmlns", "http://www.yworks.com/xml/graphml"
GEXF = "http://www.gexf.net/1.2draft"
# What networkx can convert; other types are read as text.
_GEXF_TYPES = {"integer", "float", "double", "boolean", "string", "long", "liststring", "anyURI"}
_GML_HEAD = re.compile(r"^\s*graph\s*\[", re.MULTILINE)
# What networkx puts beside the attributes of a graph.
_NOT_OWN = {"node_default", "edge_default", "mode"}
_MULTIGRAPH = re.compile(r"\bmultigraph\s+1\b")


def read_graphml(content: bytes, name: str) -> FileGraph:
    """Read GraphML as networkx reads it: of Gephi, yEd, igraph, networkx.

    Node labels of yEd become the attribute `label`. Edges of a file that has directed and undirected ones are all
    taken for undirected. Parallel edges are kept apart.
    """
    from networkx.readwrite.graphml import GraphMLReader

    notes: list[str] = []
    try:
        root = parse_xml(content, name)
        _rename(root, "graphml", GRAPHML)
        tops = root.findall(f"{{{GRAPHML}}}graph")
        if len(tops) != 1:
            raise wrong(name, f"{len(tops)} graphs", "a file with one")
        top, layout = tops[0], _take_yed(root)
        directed = _one_direction(
            top, [*top.iter(f"{{{GRAPHML}}}edge")], "edgedefault", "directed", {"true": True, "false": False}, notes
        )
        # Ids of edges need not differ: OSMnx writes the keys of parallel edges there.
        given: list[str] = []

        def numbered(text: str) -> int:
            given.append(text)
            return len(given) - 1

        reader = GraphMLReader(str, numbered, True)
        reader.xml = root
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = reader.make_graph(top, *reader.find_graphml_keys(root))
    except InputError:
        raise
    except Exception as error:  # networkx lets its parsers' errors through
        raise InputError(f"{name}: cannot be read as GraphML: {type(error).__name__}: {error}") from error
    found = of_networkx(graph, "GraphML", directed, notes, layout)
    if len(given) == len(found.source) and len({*given}) < len(given):
        found.key = [given[number] for *_, number in graph.edges(keys=True)]
    return found


def read_gexf(content: bytes, name: str) -> FileGraph:
    """Read GEXF 1.0 to 1.3 as networkx reads it; what is drawn or changes with time is left out, and said."""
    from networkx.readwrite.gexf import GEXFReader

    notes: list[str] = []
    try:
        root = parse_xml(content, name)
        _rename(root, "gexf", GEXF)
        top = root.find(f"{{{GEXF}}}graph")
        if top is None:
            raise wrong(name, "no <graph>", "one")
        layout = _take_viz(root)
        _take_time(top, notes)
        edges = [*top.iter(f"{{{GEXF}}}edge")]
        kinds = {"directed": True, "undirected": False, "mutual": None}
        directed = _one_direction(top, edges, "defaultedgetype", "type", kinds, notes)
        for edge in edges:
            edge.attrib.pop("id", None)  # networkx takes two edges of one id for one
        graph = GEXFReader(version="1.2draft").make_graph(top)
        for node, attributes in graph.nodes(data=True):
            if attributes.get("label") in (None, ""):
                attributes["label"] = node
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{name}: cannot be read as GEXF: {type(error).__name__}: {error}") from error
    return of_networkx(graph, "GEXF", directed, notes, layout, ("label",))


def read_gml(content: bytes, name: str) -> FileGraph:
    """Read GML as networkx reads it, parallel edges also where the file does not announce them.

    The node attribute `label` is a name and never a class; the edge attribute `value` holds weights where there is no
    `weight`, as in Newman's files.
    """
    import networkx

    text = _gml_text(content)
    head = _GML_HEAD.search(text)
    # Newman's polblogs and others repeat edges without saying so, which networkx refuses.
    if head and not _MULTIGRAPH.search(text[: head.end() + 1000]):
        rest = re.sub(r"^\s*multigraph\s+0\b", "", text[head.end() :], count=1, flags=re.MULTILINE)
        text = f"{text[: head.end()]}\nmultigraph 1\n{rest}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = networkx.parse_gml(text, label="id")
    except Exception as error:  # networkx lets its parser's errors through
        raise InputError(f"{name}: cannot be read as GML: {type(error).__name__}: {error}") from error
    more = {"weight_names": (*WEIGHT_NAMES, "value")}
    return of_networkx(graph, "GML", graph.is_directed(), [], [], ("label", "name"), **more)


def of_networkx(
    graph: Any,
    kind: str,
    directed: bool,
    notes: list[str],
    layout: list[str],
    names_only: tuple[str, ...] = (),
    **more: Any,
) -> FileGraph:
    """A networkx graph as a `FileGraph`."""
    position = {node: place for place, node in enumerate(graph)}
    edges = [*graph.edges(data=True)]
    ends = np.array([(position[u], position[v]) for u, v, _ in edges], dtype=np.int64).reshape(-1, 2)
    rows = [attributes for *_, attributes in edges]
    return FileGraph(
        kind,
        ends[:, 0],
        ends[:, 1],
        directed,
        [*map(str, graph)],
        attribute_frame([attributes for _, attributes in graph.nodes(data=True)], graph.graph.get("node_default")),
        attribute_frame(rows, graph.graph.get("edge_default")),
        notes=notes,
        layout=layout,
        names_only=names_only,
        own={str(key): value for key, value in graph.graph.items() if key not in _NOT_OWN},
        **more,
    )


def _rename(root: Element, wanted: str, namespace: str) -> None:
    """Give the elements of a format the namespace of the version that networkx looks for."""
    if _local(root) != wanted:
        raise wrong("its outermost element", f"<{_local(root)}>", f"<{wanted}>")
    own = root.tag.rpartition("}")[0]
    for element in root.iter():
        space, _, local = str(element.tag).rpartition("}")
        if space == own:
            element.tag = f"{{{namespace}}}{local}"


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _one_direction(
    top: Element, edges: list[Element], default: str, key: str, kinds: dict[str, bool | None], notes: list[str]
) -> bool:
    """Whether the edges have a direction; where only some have, none is taken for directed."""
    usual = top.get(default) == "directed"
    found = {kinds.get(edge.get(key, ""), usual) for edge in edges}
    directed = usual if not found else found <= {True, None} and True in found
    if {True, False} <= found:
        notes.append("some edges are directed and some are not: all are read as undirected")
    top.set(default, "directed" if directed else "undirected")
    for edge in edges:
        if not (directed and edge.get(key) == "mutual"):
            edge.attrib.pop(key, None)
    return directed


def _take_yed(root: Element) -> list[str]:
    """Turn yEd's node labels into plain data, and drop its drawing; names of what was dropped."""
    graphics = {
        key.get("id") for key in root.iter(f"{{{GRAPHML}}}key") if any("yfiles.type" in each for each in key.attrib)
    }
    if not graphics:
        return []
    labels = {}
    for kind in ("node", "edge"):
        for element in root.iter(f"{{{GRAPHML}}}{kind}"):
            for drawn in [data for data in element.findall(f"{{{GRAPHML}}}data") if data.get("key") in graphics]:
                texts = [(each.text or "").strip() for each in drawn.iter() if _local(each) == f"{kind.title()}Label"]
                text = next(filter(None, texts), None)
                element.remove(drawn)
                if text:
                    labels[kind] = f"{kind}.yed.label"
                    added = element.makeelement(f"{{{GRAPHML}}}data", {"key": labels[kind]})
                    added.text = " ".join(text.split())
                    element.append(added)
    for kind, key in labels.items():
        named = {"id": key, "for": kind, "attr.name": "label", "attr.type": "string"}
        root.insert(0, root.makeelement(f"{{{GRAPHML}}}key", named))
    return ["geometry", "shape", "colours"]


def _take_viz(root: Element) -> list[str]:
    """Remove what says how nodes and edges are drawn; its names."""
    found: dict[str, None] = {}
    for parent in root.iter():
        for child in [child for child in parent if "viz" in str(child.tag).partition("}")[0]]:
            found[_local(child)] = None
            parent.remove(child)
    return [*found]


def _take_time(top: Element, notes: list[str]) -> None:
    """Remove what changes with time, and mend what networkx does not read: types, keys and values of attributes."""
    gone: set[tuple[str | None, str | None]] = set()
    titles: list[str] = []
    timed = top.get("mode") == "dynamic"
    for table in [child for child in top if _local(child) == "attributes"]:
        dynamic = table.get("mode") == "dynamic"
        for each in table:
            if dynamic:
                gone.add((table.get("class"), each.get("id")))
                titles.append(each.get("title") or str(each.get("id")))
            elif each.get("type") not in _GEXF_TYPES:
                each.set("type", "string")
        if dynamic:
            top.remove(table)
    for element in top.iter():
        kind = _local(element)
        if kind not in ("node", "edge", "graph"):
            continue
        for key in ("start", "end", "startopen", "endopen", "timestamp"):
            timed = element.attrib.pop(key, None) is not None or timed
        for child in [child for child in element if _local(child) in ("spells", "slices")]:
            timed = True
            element.remove(child)
        for values in [child for child in element if _local(child) == "attvalues"]:
            for value in [*values]:
                value.set("for", value.get("for") or value.get("id") or "")
                if (kind, value.get("for")) in gone or value.get("value") in (None, ""):
                    values.remove(value)
    top.set("mode", "static")
    if titles:
        notes.append(f"attributes that change with time are left out: {', '.join(titles)}")
    if timed:
        notes.append("all times together, their starts and ends left out")


def _gml_text(content: bytes) -> str:
    """Text in UTF-8, else in Latin-1, which the format's authors name; without blank lines, at which networkx trips."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return "\n".join(line for line in text.splitlines() if not line.isspace() and line)
