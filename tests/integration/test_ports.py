"""Ports for servers of several processes at one time."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from local.ports import BLOCK, END, FIRST, PortBlock, take_block

SHOW = "from local.ports import row_of_free_ports; print(row_of_free_ports(3), flush=True); input()"
PROCESSES = 4


@pytest.fixture
def block() -> Iterator[PortBlock]:
    """A block of the test's own, in the same process as others."""
    with closing(take_block()) as taken:
        yield taken


def test_processes_at_one_time_have_blocks_of_their_own(block: PortBlock) -> None:
    command = [sys.executable, "-c", SHOW]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(PROCESSES)
        ]
        firsts = [int(process.stdout.readline()) for process in processes if process.stdout]
        for process in processes:
            process.communicate("\n")
    blocks = {(first - FIRST) // BLOCK for first in [*firsts, block.row(3)]}
    assert len(blocks) == PROCESSES + 1
    assert all(FIRST < first < END for first in firsts)


def test_a_port_with_a_listener_is_passed_over(block: PortBlock) -> None:
    first = block.row(1)
    with socket.create_server(("127.0.0.1", first + 3)):
        assert block.row(2) == first + 1
        assert block.row(2) == first + 4


def test_a_port_comes_again_only_after_all_others(block: PortBlock) -> None:
    given = [block.row(2) for _ in range(BLOCK // 2 - 1)]
    assert len(set(given)) == len(given)
    assert block.row(2) == given[0]


def test_more_ports_than_a_block_has_are_refused(block: PortBlock) -> None:
    with pytest.raises(RuntimeError, match=f"no {BLOCK} free ports in a row"):
        block.row(BLOCK)
