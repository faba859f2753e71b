"""Small specs that the system tests run."""

from __future__ import annotations

DIGITS = """\
ibp 1

type Image = real[1, 8, 8] in [0 .. 1]
type Digit = index[10]
type Logits = real[Digit]

param steps: int = 400

data digits: (x: Image, y: Digit) {
    source = builtin(digits)
    train = 1437
    test = 360
}

net tiny: Image -> Logits {
    default act = relu, pad = valid
    conv 4 3x3+2
    fc 20
    out
}

spec robust[X, K](f: X -> real[K], x0: X, y: K, eps: real) {
    forall x in ball(x0, eps), z = f(x):
        forall k != y: z[k] - z[y] <= 0
}

train fit(f: Image -> Logits) {
    data = digits.train
    spec = robust(f, x, y, eps)
    bound = ibp
    loss = kappa * xent(f(x), y) + (1 - kappa) * xent(worst(spec), y)
    optimiser = adam
    batch = 50
    steps = steps
    seed = 0
    lr(t) = 2e-3
    eps(t) = 0 until 20, linear to 0.03 at 200
    kappa(t) = 1 until 20, linear to 1/2 at 200
}

verify table(f: Image -> Logits) {
    data = digits.test
    first = 60
    spec = robust(f, x, y, 0.02)
    report test_error = by forward(argmax(f(x)) == y)
    report ibp_bound = by ibp
    report verified_error = by ibp
        then pgd(steps = 10, restarts = 2)
        then mip(timeout = 30 s)
        else unknown
}

run default {
    table(fit(tiny))
}
"""
