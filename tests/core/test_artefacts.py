"""Files appear whole or not at all, and nothing is pickled."""

import numpy as np
import pytest
import torch

from fairlab.core.errors import DamagedError, UserError
from fairlab.core.files import (
    append_json_line,
    atomic_path,
    read_json,
    read_json_lines,
    write_json,
    write_rows,
)
from fairlab.core.tensors import load_state, load_tensors, save_state, save_tensors


def nested_state():
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "epoch": 3,
        "best": None,
    }


def test_a_state_survives_the_round_trip_with_its_types(tmp_path):
    state = nested_state()
    save_state(tmp_path / "state.safetensors", state)
    loaded = load_state(tmp_path / "state.safetensors")
    assert loaded["epoch"] == 3
    assert loaded["best"] is None
    assert torch.equal(loaded["random"], state["random"])
    assert list(loaded["optimizer"]["state"]) == [0, 1]  # integer keys stay integers
    assert torch.equal(loaded["optimizer"]["state"][0]["exp_avg"], state["optimizer"]["state"][0]["exp_avg"])
    torch.optim.Adam(torch.nn.Linear(3, 2).parameters()).load_state_dict(loaded["optimizer"])


def test_the_same_tensors_are_the_same_bytes(tmp_path):
    """Safetensors writes the texts of a header in another order each time."""
    texts = {name: f"text é of {name}" for name in "abcdefgh"}
    for name in "xy":
        save_tensors(tmp_path / name, {"w": torch.ones(2, 3)}, texts)
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()
    tensors, found = load_tensors(tmp_path / "x")
    assert found == texts
    assert torch.equal(tensors["w"], torch.ones(2, 3))


def test_every_flipped_bit_of_tensors_is_noticed(tmp_path):
    path = tmp_path / "state"
    save_tensors(
        path, {"w": torch.arange(3.0), "none": torch.zeros(0), "b": torch.ones((), dtype=torch.bfloat16)}
    )
    content = path.read_bytes()
    for place in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            tensors, _ = load_tensors(path)
        except DamagedError:
            continue
        # What is left is the name of the checksum, and blanks.
        assert torch.equal(tensors["w"], torch.arange(3.0)), place


def test_a_truncated_state_is_one_sentence(tmp_path):
    path = tmp_path / "state.safetensors"
    save_state(path, nested_state())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"state\.safetensors is missing or damaged"):
        load_state(path)


def test_a_foreign_safetensors_file_is_one_sentence(tmp_path):
    from safetensors.torch import save_file

    save_file({"w": torch.ones(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(UserError, match="not one of ours"):
        load_state(tmp_path / "foreign.safetensors")


def test_an_error_inside_the_block_leaves_the_old_file(tmp_path):
    path = tmp_path / "value.json"
    write_json(path, {"a": 1})

    def write_half() -> None:
        with atomic_path(path) as partial:
            partial.write_text("{")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_damaged_json_is_one_sentence(tmp_path):
    (tmp_path / "value.json").write_text('{"a":')
    with pytest.raises(UserError, match="not readable as JSON"):
        read_json(tmp_path / "value.json")


def test_json_lines_append(tmp_path):
    path = tmp_path / "curve.jsonl"
    assert read_json_lines(path) == []
    append_json_line(path, {"epoch": 1})
    append_json_line(path, {"epoch": 2})
    assert [record["epoch"] for record in read_json_lines(path)] == [1, 2]


def test_rows_are_written_in_chunks_and_go_on_where_they_stopped(tmp_path):
    rows = np.arange(7 * 4, dtype=np.uint8).reshape(7, 2, 2)
    path, asked = tmp_path / "rows.npy", []

    def make(part):
        asked.append(part)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return rows[part]

    with pytest.raises(KeyboardInterrupt):
        write_rows(path, rows.shape, make, chunk=3)
    write_rows(path, rows.shape, make, chunk=3)
    assert [part.start for part in asked] == [0, 3, 3, 6]
    assert np.array_equal(np.load(path), rows)


def test_a_half_written_row_is_written_again(tmp_path):
    rows = np.arange(12, dtype=np.uint8).reshape(3, 4)
    path = tmp_path / "rows.npy"
    write_rows(path, rows.shape, rows.__getitem__)
    for cut in (3, 6, 11, 60, 130):
        path.write_bytes(path.read_bytes()[:-cut])
        write_rows(path, rows.shape, rows.__getitem__)
        assert np.array_equal(np.load(path), rows)
