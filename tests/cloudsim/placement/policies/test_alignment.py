"""Dot product, cosine, and the L2 norm of the remainder."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.placement import PlacementRequest
from tests.cloudsim.placement.policies.bench import Bench, Site, Vm, clouds, requests

weights = st.sampled_from((0, 1, 2, Fraction(1, 4)))


def inner(weights: tuple[Fraction, ...], one: list[Fraction], other: list[Fraction]) -> Fraction:
    return sum((w * a * b for w, a, b in zip(weights, one, other, strict=True)), Fraction(0))


@settings(max_examples=80, deadline=None)
@given(clouds, requests, st.tuples(weights, weights))
def test_dot_product_takes_the_largest_and_l2_norm_leaves_the_shortest(
    sites: list[Site], request: PlacementRequest, w: tuple[Fraction, Fraction]
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    options = f"cpu_weight={float(w[0])},memory_weight={float(w[1])}"
    if fitting:
        dot = {s: inner(w, sites[s].asked(request), sites[s].free()) for s in fitting}
        assert bench.plan(f"dot-product,{options}", request) == min(fitting, key=lambda s: (-dot[s], s))
        left = {s: inner(w, sites[s].left(request), sites[s].left(request)) for s in fitting}
        assert bench.plan(f"l2-norm,{options}", request) == min(fitting, key=lambda s: (left[s], s))


@settings(max_examples=80, deadline=None)
@given(clouds, requests)
def test_the_l2_norm_without_weights_is_best_fit_by_it(sites: list[Site], request: PlacementRequest) -> None:
    bench = Bench(sites)
    if bench.fitting(request):
        assert bench.plan("l2-norm", request) == bench.plan("best-fit,norm=l2", request)


@settings(max_examples=80, deadline=None)
@given(clouds, requests, st.tuples(st.sampled_from((1, 2)), st.sampled_from((1, Fraction(1, 4)))))
def test_cosine_takes_the_smallest_angle(
    sites: list[Site], request: PlacementRequest, w: tuple[Fraction, Fraction]
) -> None:
    bench = Bench(sites)
    fitting = bench.fitting(request)
    if fitting:
        squared = {}
        for slot in fitting:
            asked, free = sites[slot].asked(request), sites[slot].free()
            squared[slot] = inner(w, asked, free) ** 2 / (inner(w, asked, asked) * inner(w, free, free))
        options = f"cpu_weight={float(w[0])},memory_weight={float(w[1])}"
        chosen = bench.plan(f"cosine,{options}", request)
        assert squared[chosen] > max(squared.values()) - Fraction(1, 10**12), "but for rounding, the largest"


def test_a_resource_without_weight_does_not_count() -> None:
    bench = Bench([Site(vms=(Vm(1024, 256),)), Site(vms=(Vm(256, 4096),))])
    request = PlacementRequest(512, 512)
    assert bench.plan("l2-norm,memory_weight=0", request) == 0
    assert bench.plan("l2-norm,cpu_weight=0", request) == 1
    for policy in ("dot-product", "cosine", "l2-norm"):
        nothing = f"{policy},cpu_weight=0,memory_weight=0,gpu_weight=0"
        assert bench.plan(nothing, request) == 0, "all are equal, and the first is taken"


def test_gpus_are_one_more_dimension() -> None:
    full, half = Site(gpus=2), Site(gpus=2, vms=(Vm(0, 0, gpu=1000),))
    request = PlacementRequest(256, 256, gpus=1, gpu_milli=1000)
    bench = Bench([half, full])
    assert (bench.plan("dot-product", request), bench.plan("l2-norm", request)) == (1, 0)
    assert bench.plan("l2-norm,gpu_weight=0", request) == 0
    unasked = Bench([full, Site()])
    assert unasked.plan("l2-norm", PlacementRequest(256, 256)) == 1, "what asks for no GPU leaves GPUs alone"
    assert unasked.plan("cosine", PlacementRequest(256, 256)) == 1
    assert unasked.plan("cosine", request) == 0
