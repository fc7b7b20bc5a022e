"""Nested quadrature rules: Gauss-Kronrod nodes and trapezium rules on [-1, 1]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Kronrod nodes and weights of the 10-21 pair (Piessens R and others, QUADPACK, 1983).
_K = (
    (0.995657163025808080735527280689003, 0.011694638867371874278064396062192),
    (0.973906528517171720077964012084452, 0.032558162307964727478818972459390),
    (0.930157491355708226001207180059508, 0.054755896574351996031381300244580),
    (0.865063366688984510732096688423493, 0.075039674810919952767043140916190),
    (0.780817726586416897063717578345042, 0.093125454583697605535065465083366),
    (0.679409568299024406234327365114874, 0.109387158802297641899210590325805),
    (0.562757134668604683339000099272694, 0.123491976262065851077958109585166),
    (0.433395394129247190799265943165784, 0.134709217311473325928054001771707),
    (0.294392862701460198131126603103866, 0.142775938577060080797094273138717),
    (0.148874338981631210884826001129720, 0.147739104901338491374841515972068),
)
NODES = np.array([-node for node, _ in _K] + [0.0] + [node for node, _ in _K[::-1]])
KRONROD = np.array(
    [w for _, w in _K] + [0.149445554002916905664936468389821] + [w for _, w in _K[::-1]]
)
GAUSS = np.zeros(21)
GAUSS[1::2] = np.polynomial.legendre.leggauss(10)[1]


def reference_rule(nodes: int, hard: bool) -> tuple[Floats, Floats, Floats]:
    """Return nodes on [-1, 1], weights, and the weights of the rule with every other node."""
    t = np.linspace(-1, 1, nodes)
    step = t[1] - t[0]
    if hard:  # double-exponential scale: an edge in the mass costs nothing
        reach = 3.0
        v = np.tanh(np.pi / 2 * np.sinh(reach * t))
        slope = np.pi / 2 * np.cosh(reach * t) * (1 - v**2) * reach
    else:
        v, slope = t, np.ones(nodes)
    weight = step * slope
    coarse = np.zeros(nodes)
    coarse[::2] = 2 * weight[::2]
    for rule in (weight, coarse):
        rule[[0, -1]] /= 2
    return v, weight, coarse
