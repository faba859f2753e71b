"""The pool on a Dask cluster: the same replies, and losses that stay with one job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from dask_cluster import LocalCluster

from ibpc.errors import FileMistake
from ibpc.milp import ClusterPool, Job, Reply, cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = "jobs_for_tests:double"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    started = LocalCluster(tmp_path_factory.mktemp("dask"), failures=1)
    yield started.address
    if cluster.connected.cache_info().currsize:
        cluster.connected(started.address).close()
        cluster.connected.cache_clear()
    started.end()


def run(address: str, jobs: list[Job], grace_s: float = 5.0) -> dict[object, Reply]:
    with ClusterPool(TARGET, 3, address, grace_s) as pool:
        return {reply.key: reply for reply in pool.run(jobs)}


def test_every_job_gets_its_reply(address: str) -> None:
    replies = run(address, [Job(n, n, 10.0) for n in range(20)])
    assert {key: reply.value for key, reply in replies.items()} == {n: 3 * n for n in range(20)}


def test_a_worker_killed_in_mid_task_costs_a_retry(address: str, tmp_path: object) -> None:
    mark = f"{tmp_path}/mark"
    jobs = [Job("killed", ("die once", mark), 10.0), *(Job(n, n, 10.0) for n in range(6))]
    replies = run(address, jobs)
    assert replies["killed"].value == "survived"
    assert all(replies[n].value == 3 * n for n in range(6))


def test_a_job_that_kills_every_worker_costs_only_itself(address: str) -> None:
    replies = run(address, [Job("bad", ("die", None), 10.0), *(Job(n, n, 10.0) for n in range(4))])
    assert replies["bad"].kind == "crashed"
    assert all(replies[n].value == 3 * n for n in range(4))


def test_an_exception_comes_back_as_it_is(address: str) -> None:
    reply = run(address, [Job("bad", ("fail", "no such thing"), 10.0)])["bad"]
    assert reply.kind == "failed"
    assert isinstance(reply.value, ValueError)
    assert "no such thing" in reply.why


def test_a_job_that_overruns_its_limit_is_given_up(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "START_S", 0.5)
    began = time.monotonic()
    with ClusterPool(TARGET, 3, address, 0.2) as pool:
        replies = {
            one.key: one
            for one in pool.run([Job("slow", ("sleep", 20), 0.3), Job("next", 2, 60.0)])
        }
    assert time.monotonic() - began < 19
    assert replies["slow"].kind == "time-out"
    assert replies["next"].value == 6


def test_no_cluster_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    with pytest.raises(FileMistake, match=r"E0757.*no cluster with workers"):
        ClusterPool(TARGET, 3, "tcp://127.0.0.1:9")
