"""`trio-dynomite restore`: what it refuses, and that it touches nothing then."""

from pathlib import Path

import pytest

from trio_dynomite.launch import command_line, exits

FILE = """
[storage]
engine = "{engine}"
path = "{path}/data"
[rocksdb]
backup_path = "{path}/backups"
[[nodes]]
name = "node1"
rack = "rack1"
client_port = 8102
peer_port = 8101
admin_port = 22222
"""


def restore(path: Path, *words: str, engine: str = "rocksdb") -> int:
    file = path / "cluster.toml"
    file.write_text(FILE.format(engine=engine, path=path), encoding="utf-8")
    return command_line.run(["restore", str(file), *words])


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    made = tmp_path / "backups" / "node1" / "20261124T160844.123Z"
    made.mkdir(parents=True)
    (made / "CURRENT").write_text("MANIFEST-000005\n", encoding="utf-8")
    (made / "000004.sst").write_bytes(b"a table")
    return made


def test_the_newest_whole_backup_takes_the_place_of_the_data(backup: Path, tmp_path: Path) -> None:
    backup.with_name("20261125T000000.000Z.tmp").mkdir()
    assert restore(tmp_path, "--node", "node1") == exits.CLEAN
    data = tmp_path / "data" / "node1"
    assert {file.name for file in data.iterdir()} == {"CURRENT", "000004.sst"}
    assert (backup / "000004.sst").read_bytes() == b"a table"
    assert [path.name for path in data.parent.iterdir()] == ["node1"]


@pytest.mark.parametrize(
    ("words", "engine", "why"),
    [
        (["--node", "node1"], "memory", "only a RocksDB has backups"),
        (["--node", "node2"], "rocksdb", "has no such node"),
        (["--node", "node1", "--from", "nowhere"], "rocksdb", "is no backup"),
    ],
)
@pytest.mark.usefixtures("backup")
def test_what_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], engine: str, why: str
) -> None:
    assert restore(tmp_path, *words, engine=engine) == exits.MISUSE
    assert why in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_data_that_is_there_stays(backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data" / "node1").mkdir(parents=True)
    assert restore(tmp_path, "--node", "node1") == exits.MISUSE
    assert "move it away first" in capsys.readouterr().err
    assert backup.exists()


def test_without_backups_there_is_nothing_to_restore(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert restore(tmp_path, "--node", "node1") == exits.MISUSE
    assert "there is no backup of node1" in capsys.readouterr().err
