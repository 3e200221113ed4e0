"""The registry's data sets without edges: images and other vectors, for dimension reduction."""

from genurl_graph.datasets.entry import DatasetInfo

REDUCTION = "dimension reduction"

_ALPAYDIN = "Alpaydin, Kaynak: Optical Recognition of Handwritten Digits, UCI ML Repository, 1998"
_LECUN = "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, Proc. IEEE, 1998"
_XIAO = "Xiao, Rasul, Vollgraf: Fashion-MNIST: a Novel Image Dataset for Benchmarking, arXiv:1708.07747, 2017"
_ZHENG = "Zheng et al.: Massively Parallel Digital Transcriptional Profiling of Single Cells, Nat. Commun., 2017"

_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"

_CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)

# Part -> prefixes of its files, and images in it.
_PARTS = {"test": (("t10k",), 10_000), "train": (("train",), 60_000), "all": (("train", "t10k"), 70_000)}


def _idx(
    name: str, folder: str, url: str, origin: str, licence: str, citation: str, classes: tuple[str, ...] = ()
) -> tuple[DatasetInfo, ...]:
    """Test, training and all images of an MNIST-like collection; the bare name is the test part."""
    entries = []
    for part, (prefixes, n) in _PARTS.items():
        aliases = {"test": (name,), "train": (), "all": (f"{name}-70000",)}[part]
        files = [f"{p}-{kind}-ubyte.gz" for p in prefixes for kind in ("images-idx3", "labels-idx1")]
        entries.append(
            DatasetInfo(
                *(f"{name}-{part}", aliases, REDUCTION, n, 0, 784, 10, origin, licence, citation),
                loader="idx",
                folder=f"{folder}/raw",
                files=tuple(f"{folder}/raw/{file}" for file in files),
                urls=tuple(url + file for file in files),
                pyg=prefixes,
                classes=classes,
            )
        )
    return tuple(entries)


VECTORS = (
    *_idx("MNIST", "MNIST", _MNIST, "yann.lecun.com", "CC BY-SA 3.0", _LECUN),
    *_idx("Fashion-MNIST", "FashionMNIST", _FASHION, "zalandoresearch/fashion-mnist", "MIT", _XIAO, _CLOTHES),
    DatasetInfo(
        *("pbmc68k", ("pbmc68k-reduced", "pbmc"), REDUCTION, 700, 0, 765, 10, "10x Genomics, by way of scanpy"),
        licence="CC BY 4.0 (10x Genomics)",
        citation=_ZHENG,
        loader="vectors",
        folder="vectors",
        files=("vectors/pbmc68k_reduced.npz",),
        by_hand="a = scanpy.datasets.pbmc68k_reduced(); c = a.obs.bulk_labels.cat; numpy.savez_compressed("
        "'pbmc68k_reduced.npz', X=a.X, y=c.codes, label_names=numpy.array(c.categories, dtype=str))",
    ),
    DatasetInfo(
        *(
            "digits",
            ("optdigits",),
            REDUCTION,
            1797,
            0,
            64,
            10,
            "scikit-learn",
            "CC BY 4.0 (UCI)",
        ),
        citation=_ALPAYDIN,
        loader="digits",
    ),
)
