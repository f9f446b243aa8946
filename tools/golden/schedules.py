"""The values of PyTorch's and optax's schedules, and of transcriptions of papers for those that neither has.

    python tools/golden/schedules.py

writes crates/moments/tests/golden/schedules.txt. Needs: pip install torch optax numpy

A line `schedule NAME | FROM` is followed by a line `values` with one number for each of 400 updates; `x*n` is x n times.
PyTorch's values come from `_get_closed_form_lr` where a scheduler has it, otherwise from its steps.
A line `drift N A R | FROM` says how far PyTorch's steps are from PyTorch's closed form in N updates: at most A of the largest learning rate,
and R of the learning rate itself where that is more than a thousandth of the largest.
"""

import math
import pathlib
import platform
import warnings

import jax
import numpy as np
import torch

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
import optax  # noqa: E402
from torch.optim import lr_scheduler as sched  # noqa: E402

warnings.filterwarnings("ignore")
FILE = pathlib.Path(__file__).resolve().parents[2] / "crates" / "moments" / "tests" / "golden" / "schedules.txt"
N = 400
LONG = 100_000
lines, names = [], set()


def runs(values):
    """The numbers of a line, equal neighbours counted."""
    out = []
    for value in (repr(float(value)) for value in values):
        if out and out[-1][0] == value:
            out[-1][1] += 1
        else:
            out.append([value, 1])
    return " ".join(value if count == 1 else f"{value}*{count}" for value, count in out)


def write(name, source, values):
    values = [float(value) for value in values]
    assert name not in names and len(values) == N and np.isfinite(values).all(), name
    names.add(name)
    lines.append(f"schedule {name} | {source}")
    lines.append(f"values {runs(values)}")


# PyTorch.


def optimizer(lr, adam=False):
    parameter = torch.zeros(1, requires_grad=True)
    return torch.optim.Adam([parameter], lr=lr) if adam else torch.optim.SGD([parameter], lr=lr, momentum=0.9)


def steps(build, lr, n, read=lambda opt: opt.param_groups[0]["lr"]):
    opt = optimizer(lr)
    scheduler = build(opt)
    values = []
    for t in range(n):
        values.append(float(read(opt)))
        if t + 1 < n:
            scheduler.step()
    return values


def closed(build, lr, n):
    scheduler = build(optimizer(lr))
    values = []
    for t in range(n):
        scheduler.last_epoch = t
        values.append(float(scheduler._get_closed_form_lr()[0]))
    return values


def torch_closed(name, source, build, lr=0.1):
    write(name, f"torch: {source}, base {lr}, closed form", closed(build, lr, N))


def drift(source, build):
    for n in (N, LONG):
        one, other = np.array(steps(lambda o: build(o, n), 0.1, n)), np.array(closed(lambda o: build(o, n), 0.1, n))
        difference, top = np.abs(one - other), other.max()
        seen = other > 1e-3 * top
        lines.append(f"drift {n} {difference.max() / top:.1e} {(difference[seen] / other[seen]).max():.1e} | torch: {source}")


def torch_steps(name, source, build, lr=0.1, read=None):
    write(name, f"torch: {source}, base {lr}", steps(build, lr, N, read) if read else steps(build, lr, N))


def momentum(opt):
    return opt.param_groups[0]["momentum"]


torch_closed("step-torch", "StepLR(30, gamma=0.1)", lambda o: sched.StepLR(o, 30))
torch_closed("step-half-torch", "StepLR(7, gamma=0.9)", lambda o: sched.StepLR(o, 7, 0.9))
torch_closed("multi-step-torch", "MultiStepLR([30, 80, 80, 211])", lambda o: sched.MultiStepLR(o, [30, 80, 80, 211]))
torch_closed("multi-step-gamma-torch", "MultiStepLR([0, 5, 399], gamma=0.3)", lambda o: sched.MultiStepLR(o, [0, 5, 399], 0.3))
torch_closed("constant-torch", "ConstantLR(1/3, 5)", lambda o: sched.ConstantLR(o))
torch_closed("constant-factor-torch", "ConstantLR(0.25, 50)", lambda o: sched.ConstantLR(o, 0.25, 50))
torch_closed("linear-torch", "LinearLR()", lambda o: sched.LinearLR(o))
torch_closed("linear-down-torch", "LinearLR(1.0, 0.05, 300)", lambda o: sched.LinearLR(o, 1.0, 0.05, 300))
torch_closed("linear-to-zero-torch", "LinearLR(1.0, 0.0, 300)", lambda o: sched.LinearLR(o, 1.0, 0.0, 300))
torch_closed("linear-up-torch", "LinearLR(0.01, 1.0, 333)", lambda o: sched.LinearLR(o, 0.01, 1.0, 333))
torch_closed("exponential-torch", "ExponentialLR(0.99)", lambda o: sched.ExponentialLR(o, 0.99))
torch_closed("exponential-up-torch", "ExponentialLR(1.001)", lambda o: sched.ExponentialLR(o, 1.001), lr=1e-4)
torch_closed("polynomial-torch", "PolynomialLR()", lambda o: sched.PolynomialLR(o))
torch_closed("polynomial-2-torch", "PolynomialLR(300, 2.0)", lambda o: sched.PolynomialLR(o, 300, 2.0))
torch_closed("polynomial-0.9-torch", "PolynomialLR(390, 0.9)", lambda o: sched.PolynomialLR(o, 390, 0.9))
torch_closed("cosine-torch", "CosineAnnealingLR(60)", lambda o: sched.CosineAnnealingLR(o, 60))
torch_closed("cosine-floor-torch", "CosineAnnealingLR(300, eta_min=0.001)", lambda o: sched.CosineAnnealingLR(o, 300, 0.001))
torch_steps("restarts-torch", "CosineAnnealingWarmRestarts(50)", lambda o: sched.CosineAnnealingWarmRestarts(o, 50))
torch_steps("restarts-2-torch", "CosineAnnealingWarmRestarts(10, 2, eta_min=0.01)", lambda o: sched.CosineAnnealingWarmRestarts(o, 10, 2, 0.01))
torch_steps("restarts-3-torch", "CosineAnnealingWarmRestarts(7, 3)", lambda o: sched.CosineAnnealingWarmRestarts(o, 7, 3))


def one_cycle(name, **settings):
    source = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    for part, read in (("", lambda opt: opt.param_groups[0]["lr"]), ("-momentum", momentum)):
        write(f"{name}{part}", f"torch: OneCycleLR({source}){part}", steps(lambda o: sched.OneCycleLR(o, **settings), 0.1, N, read))


one_cycle("one-cycle-torch", max_lr=0.5, total_steps=N)
one_cycle("one-cycle-linear-torch", max_lr=0.5, total_steps=N, anneal_strategy="linear", pct_start=0.333, final_div_factor=100.0)
one_cycle("one-cycle-three-torch", max_lr=0.5, total_steps=N, three_phase=True)
one_cycle("one-cycle-three-linear-torch", max_lr=0.5, total_steps=N, three_phase=True, anneal_strategy="linear", pct_start=0.4321, div_factor=7.0, final_div_factor=11.0)
one_cycle("one-cycle-settings-torch", max_lr=0.02, total_steps=N, pct_start=0.1, base_momentum=0.5, max_momentum=0.99, div_factor=3.0, final_div_factor=100.0)
one_cycle("one-cycle-down-torch", max_lr=0.5, total_steps=N, pct_start=0.0)
one_cycle("one-cycle-up-torch", max_lr=0.5, total_steps=N, pct_start=1.0)
opt = optimizer(0.1, adam=True)
scheduler, betas = sched.OneCycleLR(opt, 0.5, total_steps=N), []
for _ in range(N):
    betas.append(opt.param_groups[0]["betas"][0])
    scheduler.step()
write("one-cycle-torch-beta1", "torch: OneCycleLR(max_lr=0.5, total_steps=400) on Adam, beta1", betas)


def cyclic(name, **settings):
    source = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    for part, read in (("", lambda opt: opt.param_groups[0]["lr"]), ("-momentum", momentum)):
        write(f"{name}{part}", f"torch: CyclicLR({source}){part}", steps(lambda o: sched.CyclicLR(o, **settings), 0.1, N, read))


cyclic("cyclic-torch", base_lr=0.001, max_lr=0.1, step_size_up=40)
cyclic("cyclic-uneven-torch", base_lr=0.001, max_lr=0.1, step_size_up=30, step_size_down=7)
cyclic("cyclic-halves-torch", base_lr=0.001, max_lr=0.1, step_size_up=20, mode="triangular2")
cyclic("cyclic-decays-torch", base_lr=0.001, max_lr=0.1, step_size_up=20, step_size_down=30, mode="exp_range", gamma=0.995, base_momentum=0.6, max_momentum=0.95)

torch_steps(
    "sequential-torch",
    "SequentialLR([LinearLR(0.1, total_iters=20), CosineAnnealingLR(200, 0.001)], [20])",
    lambda o: sched.SequentialLR(o, [sched.LinearLR(o, 0.1, total_iters=20), sched.CosineAnnealingLR(o, 200, 0.001)], [20]),
)
torch_steps(
    "sequential-three-torch",
    "SequentialLR([ConstantLR(0.1, 1000), ExponentialLR(0.98), StepLR(50)], [25, 200])",
    lambda o: sched.SequentialLR(o, [sched.ConstantLR(o, 0.1, 1000), sched.ExponentialLR(o, 0.98), sched.StepLR(o, 50)], [25, 200]),
)
torch_steps(
    "chained-torch",
    "ChainedScheduler([ConstantLR(0.1, 20), ExponentialLR(0.99)])",
    lambda o: sched.ChainedScheduler([sched.ConstantLR(o, 0.1, 20), sched.ExponentialLR(o, 0.99)]),
)
torch_steps(
    "chained-warmup-torch",
    "ChainedScheduler([LinearLR(0.05, total_iters=40), PolynomialLR(380, 2.0)])",
    lambda o: sched.ChainedScheduler([sched.LinearLR(o, 0.05, total_iters=40), sched.PolynomialLR(o, 380, 2.0)]),
)
torch_steps("lambda-torch", "LambdaLR(lambda t: 0.95 ** t)", lambda o: sched.LambdaLR(o, lambda t: 0.95**t))
torch_steps("multiplicative-torch", "MultiplicativeLR(lambda t: 0.95)", lambda o: sched.MultiplicativeLR(o, lambda t: 0.95))

drift("StepLR(n // 20, gamma=0.7)", lambda o, n: sched.StepLR(o, n // 20, 0.7))
drift("LinearLR(1, 0, n)", lambda o, n: sched.LinearLR(o, 1.0, 0.0, n))
drift("ExponentialLR(0.001 ** (1 / n))", lambda o, n: sched.ExponentialLR(o, 0.001 ** (1 / n)))
drift("PolynomialLR(n, 2)", lambda o, n: sched.PolynomialLR(o, n, 2.0))
drift("CosineAnnealingLR(n)", lambda o, n: sched.CosineAnnealingLR(o, n))
drift("CosineAnnealingLR(60)", lambda o, n: sched.CosineAnnealingLR(o, 60))


# optax. The count is an int64, so that nothing is computed in float32.


def from_optax(name, source, schedule):
    write(name, f"optax: {source}", [schedule(jax.numpy.asarray(t, jax.numpy.int64)) for t in range(N)])


from_optax("constant-optax", "constant_schedule(0.1)", optax.constant_schedule(0.1))
from_optax("linear-optax", "linear_schedule(0.1, 0.001, 300)", optax.linear_schedule(0.1, 0.001, 300))
from_optax("linear-begin-optax", "linear_schedule(0.01, 1.0, 100, 50)", optax.linear_schedule(0.01, 1.0, 100, 50))
from_optax("polynomial-optax", "polynomial_schedule(1.0, 0.01, 2.5, 300, 20)", optax.polynomial_schedule(1.0, 0.01, 2.5, 300, 20))
from_optax("polynomial-root-optax", "polynomial_schedule(0.2, 0.0, 0.5, 390)", optax.polynomial_schedule(0.2, 0.0, 0.5, 390))
from_optax("exponential-optax", "exponential_decay(0.1, 50, 0.5)", optax.exponential_decay(0.1, 50, 0.5))
from_optax("exponential-begin-optax", "exponential_decay(0.1, 50, 0.5, 30)", optax.exponential_decay(0.1, 50, 0.5, 30))
from_optax("exponential-staircase-optax", "exponential_decay(0.1, 50, 0.5, 30, True)", optax.exponential_decay(0.1, 50, 0.5, 30, True))
from_optax("exponential-floor-optax", "exponential_decay(0.1, 50, 0.5, end_value=0.02)", optax.exponential_decay(0.1, 50, 0.5, end_value=0.02))
from_optax("exponential-ceiling-optax", "exponential_decay(0.1, 50, 1.5, end_value=0.7)", optax.exponential_decay(0.1, 50, 1.5, end_value=0.7))
from_optax("piecewise-constant-optax", "piecewise_constant_schedule(0.1, {20: 0.5, 100: 0.1, 300: 3.0})", optax.piecewise_constant_schedule(0.1, {20: 0.5, 100: 0.1, 300: 3.0}))
from_optax("piecewise-linear-optax", "piecewise_interpolate_schedule('linear', 0.1, {20: 5.0, 100: 0.1, 300: 0.3})", optax.piecewise_interpolate_schedule("linear", 0.1, {20: 5.0, 100: 0.1, 300: 0.3}))
from_optax("piecewise-cosine-optax", "piecewise_interpolate_schedule('cosine', 0.1, {20: 5.0, 100: 0.1, 300: 0.3})", optax.piecewise_interpolate_schedule("cosine", 0.1, {20: 5.0, 100: 0.1, 300: 0.3}))
from_optax("cosine-optax", "cosine_decay_schedule(0.1, 300)", optax.cosine_decay_schedule(0.1, 300))
from_optax("cosine-alpha-optax", "cosine_decay_schedule(0.1, 390, 0.05)", optax.cosine_decay_schedule(0.1, 390, 0.05))
from_optax("cosine-exponent-optax", "cosine_decay_schedule(0.1, 200, 0.01, 2.5)", optax.cosine_decay_schedule(0.1, 200, 0.01, 2.5))
from_optax("warmup-constant-optax", "warmup_constant_schedule(0.0, 0.1, 100)", optax.warmup_constant_schedule(0.0, 0.1, 100))
from_optax("warmup-cosine-optax", "warmup_cosine_decay_schedule(0.0, 0.1, 40, 390)", optax.warmup_cosine_decay_schedule(0.0, 0.1, 40, 390))
from_optax("warmup-cosine-settings-optax", "warmup_cosine_decay_schedule(0.02, 0.1, 40, 300, 0.001, 1.5)", optax.warmup_cosine_decay_schedule(0.02, 0.1, 40, 300, 0.001, 1.5))
from_optax("warmup-exponential-optax", "warmup_exponential_decay_schedule(0.0, 0.1, 40, 30, 0.8)", optax.warmup_exponential_decay_schedule(0.0, 0.1, 40, 30, 0.8))
from_optax("warmup-exponential-settings-optax", "warmup_exponential_decay_schedule(0.01, 0.1, 40, 30, 0.8, 25, True, 0.03)", optax.warmup_exponential_decay_schedule(0.01, 0.1, 40, 30, 0.8, 25, True, 0.03))
CYCLES = [
    {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 10, "decay_steps": 60},
    {"init_value": 0.01, "peak_value": 0.05, "warmup_steps": 20, "decay_steps": 120, "end_value": 0.001},
    {"init_value": 0.005, "peak_value": 0.03, "warmup_steps": 5, "decay_steps": 200, "end_value": 0.002, "exponent": 2.0},
]
from_optax("sgdr-optax", "sgdr_schedule of (0.0, 0.1, 10, 60), (0.01, 0.05, 20, 120, 0.001), (0.005, 0.03, 5, 200, 0.002, 2.0)", optax.sgdr_schedule(CYCLES))
from_optax("join-optax", "join_schedules([linear_schedule(0.0, 1.0, 50), constant_schedule(1.0), exponential_decay(1.0, 20, 0.7)], [50, 150])", optax.join_schedules([optax.linear_schedule(0.0, 1.0, 50), optax.constant_schedule(1.0), optax.exponential_decay(1.0, 20, 0.7)], [50, 150]))
from_optax("one-cycle-cosine-optax", "cosine_onecycle_schedule(390, 0.5)", optax.cosine_onecycle_schedule(390, 0.5))
from_optax("one-cycle-cosine-settings-optax", "cosine_onecycle_schedule(333, 0.5, 0.123, 7.0, 50.0)", optax.cosine_onecycle_schedule(333, 0.5, 0.123, 7.0, 50.0))
from_optax("one-cycle-linear-optax", "linear_onecycle_schedule(390, 0.5)", optax.linear_onecycle_schedule(390, 0.5))
from_optax("one-cycle-linear-settings-optax", "linear_onecycle_schedule(333, 0.5, 0.123, 0.777, 7.0, 50.0)", optax.linear_onecycle_schedule(333, 0.5, 0.123, 0.777, 7.0, 50.0))


# Plateaus: the metric is made here and stored.


def metric(seed, rising=False):
    """A loss that falls, stands and falls again, with noise, in thousandths: positive, with runs of equal values."""
    rng = np.random.default_rng(seed)
    level, values = 4.0, []
    for t in range(N):
        level *= 0.9 if (t // 37) % 3 == 0 else 1.0
        level = 3.0 if t == 230 else level
        values.append(round(level + 0.02 * rng.standard_normal() * (t % 5 > 1), 3))
    values = np.maximum(values, 0.001)
    return list(5.0 - values if rising else values)


def plateau_torch(name, seed, lr=0.5, **settings):
    rising = settings.get("mode") == "max"
    source = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    opt = optimizer(lr)
    scheduler, values, metrics = sched.ReduceLROnPlateau(opt, **settings), [], metric(seed, rising)
    for m in metrics:
        scheduler.step(m)
        values.append(opt.param_groups[0]["lr"])
    write(name, f"torch: ReduceLROnPlateau({source}), base {lr}", values)
    lines.append(f"metrics {runs(metrics)}")


def plateau_optax(name, seed, **settings):
    source = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    transform = optax.contrib.reduce_on_plateau(**settings)
    one = jax.numpy.ones((), jax.numpy.float64)
    state, values, metrics = transform.init(one), [], metric(seed)
    for m in metrics:
        update, state = transform.update(one, state, value=jax.numpy.asarray(m, jax.numpy.float64))
        values.append(update)
    write(name, f"optax: contrib.reduce_on_plateau({source})", values)
    lines.append(f"metrics {runs(metrics)}")


plateau_torch("plateau-torch", 1)
plateau_torch("plateau-patience-torch", 2, factor=0.5, patience=3)
plateau_torch("plateau-zero-patience-torch", 3, factor=0.9, patience=0, min_lr=1e-3)
plateau_torch("plateau-cooldown-torch", 4, factor=0.7, patience=2, cooldown=9)
plateau_torch("plateau-max-torch", 5, mode="max", factor=0.8, patience=4, threshold=0.02)
plateau_torch("plateau-abs-torch", 6, threshold_mode="abs", threshold=0.05, factor=0.6, patience=5, min_lr=0.01)
plateau_torch("plateau-max-abs-torch", 7, mode="max", threshold_mode="abs", threshold=0.01, factor=0.3, patience=1, cooldown=2, eps=1e-4)
plateau_torch("plateau-eps-torch", 8, factor=0.5, patience=2, eps=0.02)
plateau_optax("plateau-optax", 9)
plateau_optax("plateau-settings-optax", 10, factor=0.5, patience=3, rtol=0.01, atol=0.02, cooldown=5, min_scale=0.02)
plateau_optax("plateau-accumulation-optax", 11, factor=0.8, patience=2, accumulation_size=4)
plateau_optax("plateau-one-optax", 12, factor=0.9, patience=1, rtol=0.0, atol=0.001, min_scale=1e-3)


# Transcriptions of papers.


def paper(name, source, value):
    write(name, f"paper: {source}", [value(t) for t in range(N)])


def wsd(t, cool, end=0.0, peak=0.1, warm=30, stable=170, length=150, start=lambda t: (t + 1) / 30):
    if t < warm:
        return peak * start(t)
    if t < warm + stable:
        return peak
    share = min(t - warm - stable, length) / length
    return end + (peak - end) * cool(share)


paper("wsd-sqrt", "Hägele et al. (2024), 1 - sqrt", lambda t: wsd(t, lambda u: 1 - math.sqrt(u)))
paper("wsd-linear", "Hägele et al. (2024), linear, warmup from 0", lambda t: wsd(t, lambda u: 1 - u, end=0.001, start=lambda t: t / 30))
paper("wsd-cosine", "Hägele et al. (2024), cosine, warmup from a half", lambda t: wsd(t, lambda u: (1 + math.cos(math.pi * u)) / 2, end=0.01, start=lambda t: 0.5 + 0.5 * t / 30))
paper("noam", "Vaswani et al. (2017), equation 3, 512 wide, warmup 100", lambda t: 512**-0.5 * min((t + 1) ** -0.5, (t + 1) * 100**-1.5))
paper("noam-factor", "the same, 64 wide, warmup 7, factor 2", lambda t: 2 * 64**-0.5 * min((t + 1) ** -0.5, (t + 1) * 7**-1.5))
paper("inverse-sqrt", "Raffel et al. (2019), 1/sqrt(max(t, 100))", lambda t: 1 / math.sqrt(max(t, 100)))
paper("inverse-sqrt-shifted", "Zhai et al. (2021), 0.1 sqrt(50 / (t + 50))", lambda t: 0.1 * math.sqrt(50 / (t + 50)))
paper("inverse-sqrt-warmup", "warmup t/60 to 0.1, then 0.1 sqrt(60 / t)", lambda t: 0.1 * t / 60 if t < 60 else 0.1 * math.sqrt(60 / t))
paper("warmup-first-step", "warmup (t + 1)/60 to 0.1, then a constant", lambda t: 0.1 * min(1.0, (t + 1) / 60))


def refined(norms, tau, power):
    """Algorithms 1 and 2 of Defazio et al. (2023), with sums from the paper's definition."""
    half = int(tau * len(norms) / 2)
    padded = np.concatenate([np.full(half, norms[0]), norms, norms[::-1][:half]])
    filtered = np.array([np.median(padded[i : i + 2 * half + 1]) for i in range(len(norms))])
    w = filtered**-power
    eta = np.array([w[t] * math.fsum(w[t + 1 :]) for t in range(len(norms))])
    return eta / eta.max()


def norms_of_a_run(seed):
    rng = np.random.default_rng(seed)
    t = np.arange(N)
    return np.round((3.0 * np.exp(-t / 40) + 0.5 + 0.3 * (t / N) ** 2) * np.exp(0.4 * rng.standard_normal(N)), 6)


for name, seed, tau, power in (("refined-sgd", 21, 0.1, 2), ("refined-adam", 22, 0.1, 1), ("refined-rough", 23, 0.0, 2), ("refined-smooth", 24, 1.0, 1), ("refined-odd", 25, 0.0333, 2)):
    norms = norms_of_a_run(seed)
    write(name, f"paper: Defazio et al. (2023), tau {tau}, w = G^-{power}", refined(norms, tau, power))
    lines.append(f"metrics {runs(norms)}")

header = [
    f"# tool: torch {torch.__version__.split('+')[0]} on the CPU; optax {optax.__version__} on jax {jax.__version__}, x64; numpy {np.__version__}; Python {platform.python_version()}",
    "# command: python tools/golden/schedules.py",
]
FILE.write_text("\n".join(header + lines) + "\n", encoding="utf-8", newline="\n")
print(f"{len(names)} schedules, {FILE.stat().st_size} bytes")
