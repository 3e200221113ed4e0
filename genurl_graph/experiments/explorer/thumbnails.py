"""Images of the points of a page: the data's own, or those of a folder, found by the points' ids."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import wrong

if TYPE_CHECKING:
    from genurl_graph.plotting.explorer.sprites import Sprites

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
# Loaders of the registry whose features are pixels.
LOADERS = ("idx", "digits")


def thumbnails(data: Any, dataset: str | None, names: Sequence[str], folder: Path | None) -> "Sprites | None":
    """Small images of the points, where they are images or a folder has files of their names; else None.

    Parameters
    ----------
    data
        What was read; where it says `image_shape`, its rows are pixels.
    dataset : str, optional
        Name of the data set of the registry.
    names : sequence of str
        Ids of the points.
    folder : Path, optional
        Files called by the ids, with or without the suffix; sub-folders count as part of the id.

    Raises
    ------
    InputError
        A folder that is none, has no image of any id, or a file that is no image.
    """
    from genurl_graph.inputs.images import image_shape
    from genurl_graph.plotting.explorer.sprites import sprites_of_files, sprites_of_pixels

    if folder is not None:
        return sprites_of_files(image_files(folder, names))
    shape = getattr(data, "image_shape", None)
    if shape is None and dataset is not None:
        from genurl_graph import datasets

        if datasets.info(dataset).loader in LOADERS:
            shape = image_shape("auto", data.x.size(1))
    return None if shape is None else sprites_of_pixels(data.x, shape)


def image_files(folder: Path, names: Sequence[str]) -> list[Path | None]:
    """The image of each name in a folder, None where there is none."""
    if not folder.is_dir():
        raise wrong(f"--images {folder}", "no such folder" if not folder.exists() else "a file", "a folder of images")
    files: dict[str, Path] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in SUFFIXES and file.is_file():
            path = file.relative_to(folder)
            files.setdefault(str(path.with_suffix("")), file)
            files[str(path)] = file
    found = [files.get(name) for name in names]
    if not any(found):
        what = f"no image of a point's id, such as {names[0]!r}" if files else "no images"
        raise wrong(f"--images {folder}", what, f"files called by ids ({names[0]}{SUFFIXES[0]}, ...)")
    return found
