"""``genurl-graph datasets``."""

from genurl_graph import datasets


def test_table_has_a_line_for_every_data_set(run) -> None:
    lines = run("datasets").stdout.splitlines()
    first_words = [line.split()[0] for line in lines if line.strip()]
    assert set(datasets.names()) <= set(first_words)
    (karate,) = (line for line in lines if line.split()[:1] == ["karate"])
    assert karate.split() == ["karate", "34", "78", "0", "2", "built", "in"]
    (mutag,) = (line for line in lines if line.split()[:1] == ["MUTAG"])
    assert mutag.split() == ["MUTAG", "188", "3,371", "3,721", "7", "2", "missing"]


def test_details_name_size_source_and_files(run, tmp_path) -> None:
    info = datasets.info("cora")
    text = run("datasets", "CORA", "--data-root", tmp_path).stdout
    assert "2,708" in text
    assert "edges     5,278\n" in text
    assert info.citation in text
    assert "7: Theory, Reinforcement Learning, " in text
    assert f"expected under {tmp_path}" in text
    for file in info.files:
        assert f"  - {file}" in text


def test_files_that_are_there_are_ticked(run, tmp_path) -> None:
    files = datasets.info("cora").files
    for file in files[1:]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert "incomplete" in run("datasets", "cora", "--data-root", tmp_path).stdout
    (tmp_path / files[0]).touch()
    text = run("datasets", "cora", "--data-root", tmp_path).stdout
    assert "files (present)" in text
    assert "  - " not in text


def test_unknown_name_gets_a_suggestion(run) -> None:
    result = run("datasets", "corra", code=2)
    assert "'corra'" in result.stderr
    assert "Cora" in result.stderr
    assert result.stdout == ""
