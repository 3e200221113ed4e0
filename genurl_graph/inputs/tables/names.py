"""What names of columns tell: `source` and `target`, `drug1` and `drug2`, `userId` and `movieId`, weights, times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The first of each pair is where an edge begins.
_SIDES = """
    source target, src dst, src dest, src tgt, src trg, source destination, source dest, source sink, from to,
    head tail,
    origin destination, origin dest, orig dest, sender receiver, sender recipient, follower followee,
    follower followed, follower following, citing cited, caller callee, buyer seller, parent child, subject object,
    rater ratee, truster trustee, trustor trustee, predecessor successor, ego alter, payer payee, borrower lender,
    ancestor descendant, inviter invitee, referrer referred, user friend, person friend, node neighbor, node neighbour,
    regulator target, tf target, employee manager, winner loser, u v, i j, left right, start end, start stop, begin end,
    bait prey, ligand receptor, home away, row col, row column, pickup dropoff,
    von nach, quelle ziel, origen destino, origem destino, cible source, depart arrivee, de vers
"""
SIDES = tuple(tuple(pair.split()) for pair in _SIDES.replace("\n", " ").split(","))
# Pairs that name spans and measures as well: the values must bear them out.
WEAK_SIDES = _words("""
    left right start end stop begin home away winner loser row
""")
MARKS = (("1", "2"), ("0", "1"), ("01", "02"), ("a", "b"), ("x", "y"), ("i", "j"), ("u", "v"), ("one", "two"))
GENERIC = _words("""
    id ids node nodes name vertex key index idx nr no number code label entity uid uuid guid element item object
    symbol official interactor
""")
# Kinds of things that are nodes.
KINDS = _words("""
    user person people author paper article document doc page website site domain drug protein gene disease compound
    chemical molecule residue atom neuron region species taxon enzyme pathway peptide cell sample phenotype symptom
    bait prey movie film actor director book reader artist band song track album playlist customer client product
    company firm shop store merchant business supplier vendor account wallet address host ip device server router
    phone email member group student course teacher school class employee job skill team player club event city
    country airport station stop street location place venue poi word term tag hashtag keyword topic query url
    channel video tweet post repo character hero patent patient doctor hospital animal bird ligand receptor reviewer
    asin isbn pmid doi orcid restaurant recipe ingredient party politician package concept agent subreddit community
    organization organisation institution project task
""")
WEIGHT = ("weight", "weights", "w", "wt", "wgt")
# Each of these is a weight as well, where it is the only one.
STRENGTH = _words("""
    count counts cnt n value values val strength rating ratings score scores amount freq frequency occurrences
    interactions contacts calls messages trips volume flow quantity similarity sim confidence affinity stars plays
    clicks visits num total sign polarity vote capacity probability prob correlation corr overall grade grades
    gewicht anzahl poids peso
""") | {"trust"}
TIMES = _words("""
    time timestamp timestamps ts t date datetime when since created updated year month day epoch unixtime unix
    joined at until datum zeit fecha
""")
GRAPHS = _words("graph graphs molecule mol compound subgraph")
DISTANCES = _words("""
    distance dist length cost km miles duration latency resistance delay
""")
IDS = ("id", "node_id", "nodeid", "node", "ids", "index", "idx", "name", "key", "uid", "uuid", "vertex", "")
LABELS = ("label", "labels", "class", "y", "target", "classes", "class_label")
# What may be labels or a feature: no feature until the user says so.
COMPUTED_LABELS = _words("""
    community cluster gt truth module modularity partition block classes
""")
PERHAPS_LABELS = COMPUTED_LABELS | _words("""
    category segment club species topic faction genre party outcome diagnosis variety subreddit
""")
# What is measured is no node, whatever its values are.
MEASURES = (
    _words("""
    x y z lat lon lng long latitude longitude easting northing alt altitude age height width length depth size area
    income salary price cost temperature temp pressure humidity speed mean median std var min max sum feature
    feat f p pc pca dim dimension umap tsne emb component coordinate red green blue r g pixel px year month day hour
    minute second grade revenue profit tax percent pct ratio rate coord q s m d c attr spent expenses balance
    population distance duration bmi sepal petal measure
""")
    | {"mass"}
    | STRENGTH
)

_PARTS = re.compile(r"[^\W\d_]+|\d+")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Pair(NamedTuple):
    """Two columns whose names belong together.

    Attributes
    ----------
    source, target : str
    strong : bool
        Whether the names alone tell that these are the ends of edges.
    two_kinds : bool
        Whether the names are of two kinds of things, such as users and items.
    """

    source: str
    target: str
    strong: bool
    two_kinds: bool = False


def words(name: str) -> tuple[str, ...]:
    """Words of a name, in lower case.

    Examples
    --------
    >>> words("FromNodeId"), words("drug1"), words("protein_a"), words("userid")
    (('from', 'node', 'id'), ('drug', '1'), ('protein', 'a'), ('user', 'id'))
    """
    found: list[str] = []
    for part in _PARTS.findall(name):
        for word in _HUMPS.sub(" ", part).lower().split():
            stem = word.removesuffix("id")
            known = stem in KINDS or stem in GENERIC or any(stem in pair for pair in SIDES if len(stem) > 1)
            found += [stem, "id"] if stem not in ("", word) and known else [word]
    return tuple(found)


def find_pair(columns: Sequence[str]) -> Pair | None:
    """The two columns that are the ends of edges by their names; None if no two are."""
    named = {column: words(column) for column in columns}
    sides = _by_sides(named)
    marked = _by_marks(named)
    kinds = _by_kinds(named)
    for found in (sides, marked, kinds):
        if found is not None and found.strong:
            return found
    return sides or marked or kinds


def is_measure(name: str) -> bool:
    """Whether a name is that of something measured."""
    found = [word for word in words(name) if not word.isdigit()]
    if not found or "id" in found:
        return False
    return found[-1] in MEASURES or (found[0] in MEASURES and not (GENERIC | KINDS).intersection(found))


def is_time(name: str) -> bool:
    """Whether a name is that of a time or date."""
    return bool(TIMES.intersection(words(name)))


def weight_rank(name: str) -> int | None:
    """0 for a weight by name, 1 for what can be one; None for others."""
    found = words(name)
    if any(word in WEIGHT for word in found):
        return 0
    return 1 if found and (found[-1] in STRENGTH or found[0] in STRENGTH) else None


def is_distance(name: str) -> bool:
    """Whether a name is that of a length, which is large where ends are far apart."""
    return bool(DISTANCES.intersection(words(name)))


def is_id(name: str) -> bool:
    """Whether a name is that of the ids of nodes."""
    found = words(name)
    return name.strip().lower() in IDS or (bool(found) and found[-1] in ("id", "uid", "uuid"))


def may_be_label(name: str) -> bool:
    """Whether a name is one that labels often have."""
    found = words(name)
    return bool(found) and (found[0] in PERHAPS_LABELS or found[-1] in {*PERHAPS_LABELS, *LABELS})


def is_computed_label(name: str) -> bool:
    """Whether a name is one of clusters that somebody computed, or of the truth."""
    found = words(name)
    return bool(found) and (found[0] in COMPUTED_LABELS or found[-1] in COMPUTED_LABELS)


def are_numbered(columns: Sequence[str]) -> bool:
    """Whether names only count the columns, such as V1, V2, V3, which say no more than none."""
    found = [words(column) for column in columns]
    stems = {parts[:-1] for parts in found if parts}
    numbers = [int(parts[-1]) if parts and parts[-1].isdecimal() else -1 for parts in found]
    plain = len(stems) == 1 and stems <= {(), ("v",), ("x",), ("col",), ("column",), ("field",), ("unnamed",), ("c",)}
    return plain and numbers == [*range(numbers[0], numbers[0] + len(numbers))]


def is_graph(name: str) -> bool:
    """Whether a name is that of graphs: "graph_id", "molecule", "GraphIndex".

    Examples
    --------
    >>> is_graph("graph_id"), is_graph("mol_id"), is_graph("molecular_weight")
    (True, True, False)
    """
    found = words(name)
    return bool(found) and found[0] in GRAPHS and {*found[1:]} <= GENERIC | {"indicator"}


def is_label(name: str) -> bool:
    """Whether a name is unmistakably that of labels."""
    return name.strip().lower() in LABELS


def _rest(found: Sequence[str], word: str) -> tuple[str, ...]:
    left = list(found)
    left.remove(word)
    return tuple(left)


def _by_sides(named: dict[str, tuple[str, ...]]) -> Pair | None:
    """`source` and `target`, `FromNodeId` and `ToNodeId`; the shortest names with the same other words win."""
    best: tuple[int, int, Pair] | None = None
    for rank, (first, second) in enumerate(SIDES):
        for source, target in _matches(named, first, second):
            one, other = _rest(named[source], first), _rest(named[target], second)
            bare = all(set(rest) <= GENERIC for rest in (one, other))
            if one != other and not bare:
                continue
            strong = first not in WEAK_SIDES or bool((GENERIC | KINDS).intersection(one))
            cost = 2 * (one != other) + len(one) + len(other)
            if best is None or (cost, rank) < best[:2]:
                best = (cost, rank, Pair(source, target, strong))
    return None if best is None else best[2]


def _by_marks(named: dict[str, tuple[str, ...]]) -> Pair | None:
    """`id_1` and `id_2`, `protein_a` and `protein_b`; not of a row such as `x1`, `x2`, `x3`."""
    weak: Pair | None = None
    for first, second in MARKS:
        for source, target in _matches(named, first, second):
            stem = _rest(named[source], first)
            if stem != _rest(named[target], second) or not stem:
                continue
            if sum(len(found) == len(stem) + 1 and set(stem) <= set(found) for found in named.values()) > 2:
                continue
            if (GENERIC | KINDS).intersection(stem):
                return Pair(source, target, True)
            if not MEASURES.intersection(stem) and weak is None:
                weak = Pair(source, target, False)
    return weak


def _matches(named: dict[str, tuple[str, ...]], first: str, second: str) -> list[tuple[str, str]]:
    ends = [[column for column, found in named.items() if word in found] for word in (first, second)]
    return [(source, target) for source in ends[0] for target in ends[1] if source != target]


def _by_kinds(named: dict[str, tuple[str, ...]]) -> Pair | None:
    """`user_id` and `item_id`, `author` and `paper`: the first two columns that name two kinds of things."""
    found: list[tuple[str, str, bool]] = []
    for column, parts in named.items():
        kinds = [word for word in parts if word in KINDS or word == "item"]
        if len(kinds) == 1 and set(parts) - set(kinds) <= GENERIC:
            found.append((column, kinds[0], len(parts) > 1))
        elif len(parts) > 1 and parts[-1] == "id":
            found.append((column, " ".join(parts[:-1]), True))
    # `paper_id` and `cited_paper_id`, `author` and `coauthor` are of one kind.
    if len(found) < 2 or found[0][1] in found[1][1] or found[1][1] in found[0][1]:
        return None
    (source, _, one), (target, _, other) = found[:2]
    plain = len(named) - len([name for name in named if weight_rank(name) is not None or is_time(name)]) == 2
    return Pair(source, target, (one and other and plain) or (plain and len(found) == 2), True)
