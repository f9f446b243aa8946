"""Writes the golden trajectories of crates/checks/golden.

Each file is the run of one PyTorch or optax optimizer in float64 on the CPU.
Run it from the root of the repository: `python tools/golden.py`
It needs: pip install torch optax numpy

The format, which crates/checks/src/golden.rs reads:
    # key: value        comments; name, what, tool and command are always there
    set lr 0.01         one hyperparameter
    start 0.5 -0.25     the parameters before the first step
    grad 1.0 -2.0       the gradients of a step; each `grad` line begins the next step
    theta 0.49 -0.24    the parameters after it; m, v, m_hat and v_hat where the run has them
Numbers are written so that reading them back gives the same float64.
In a file of schedules `grad` is t, the number of updates done, and each other label is a schedule with its learning rate.
A file with `gradients NAME` takes its `start` and `grad` lines from the file of that name.
"""

import pathlib
import platform

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "crates" / "checks" / "golden"
COMMAND = "python tools/golden.py"
STEPS = 100
# Seven scales of gradient, a coordinate that is seldom touched, and one that never is.
SCALES = [1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e4, 1e6]


def numbers(values):
    return " ".join(repr(float(value)) for value in np.atleast_1d(values))


def write(name, what, tool, lines):
    header = [f"# name: {name}", f"# what: {what}", f"# tool: {tool}", f"# command: {COMMAND}"]
    path = FOLDER / f"{name}.txt"
    path.write_text("\n".join(header + lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{path.name}: {len(lines)} lines, {path.stat().st_size} bytes")


def settings(values):
    return [f"set {key} {float(value)!r}" for key, value in values.items()]


def gradients():
    """Short decimals, so that the file is small and the float64 is exact on both sides."""
    rng = np.random.default_rng(20240704)
    short = np.vectorize(lambda value: float(f"{value:.3e}"))
    grads = np.zeros((STEPS, 9))
    grads[:, :7] = rng.standard_normal((STEPS, 7)) * SCALES
    touched = rng.random(STEPS) < 0.1
    grads[touched, 7] = rng.standard_normal(touched.sum())
    start = short(rng.uniform(-1.0, 1.0, 9))
    return start, short(grads)


START, GRADS = gradients()


def torch_run(name, optimizer, given, build, state=(), steps=STEPS):
    import torch

    theta = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    opt = build(torch, [theta])
    lines = settings(given) + ["gradients random"]
    for grad in GRADS[:steps]:
        theta.grad = torch.tensor(grad, dtype=torch.float64)
        opt.step()
        lines.append("theta " + numbers(theta.detach().numpy()))
        for label, key in state:
            lines.append(f"{label} " + numbers(opt.state[theta][key].numpy()))
    tool = f"torch {torch.__version__.split('+')[0]}, float64, CPU; Python {platform.python_version()}"
    write(name, optimizer, tool, lines)


def optax_run(name, optimizer, given, build, steps=STEPS):
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    import jax.numpy as jnp
    import optax

    opt = build(optax)
    theta = jnp.asarray(START, dtype=jnp.float64)
    state = opt.init(theta)
    lines = settings(given) + ["gradients random"]
    for grad in GRADS[:steps]:
        updates, state = opt.update(jnp.asarray(grad, dtype=jnp.float64), state, theta)
        theta = optax.apply_updates(theta, updates)
        assert theta.dtype == jnp.float64
        lines.append("theta " + numbers(np.asarray(theta)))
    tool = f"optax {optax.__version__} on jax {jax.__version__}, float64, CPU; Python {platform.python_version()}"
    write(name, optimizer, tool, lines)


def clip_run(name, given, build, steps=40):
    """The gradients as they come out of a clipping, and where plain steps of them lead."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    import jax.numpy as jnp
    import optax

    # Three tensors of different lengths: what is clipped is the norm of all of them.
    cuts = [4, 7]
    transform = build(optax)
    theta = START.copy()
    state = transform.init([jnp.asarray(part) for part in np.split(theta, cuts)])
    lines = settings(given) + ["gradients random"]
    for grad in GRADS[:steps]:
        tensors = [jnp.asarray(part, dtype=jnp.float64) for part in np.split(grad, cuts)]
        clipped, state = transform.update(tensors, state)
        clipped = np.concatenate([np.asarray(part) for part in clipped])
        assert clipped.dtype == np.float64
        theta = theta - given["lr"] * clipped
        lines.append("theta " + numbers(theta))
        lines.append("clipped " + numbers(clipped))
    tool = f"optax {optax.__version__} on jax {jax.__version__}, float64, CPU; Python {platform.python_version()}"
    write(name, "optax.clip_by_global_norm of tensors of 4, 3 and 2 values", tool, lines)


SCHEDULE_STEPS = 20


def schedules_torch():
    """The learning rate of each update under PyTorch's schedulers: `grad` is t, the number of updates done."""
    import torch

    given = {"lr": 0.5, "every": 3, "factor": 0.3, "from": 0.5, "to": 0.1, "peak": 0.5, "floor": 0.05, "steps": SCHEDULE_STEPS - 1}
    of = torch.optim.lr_scheduler
    # CosineAnnealingLR rises again after T_max, so its end lies at the last update that is recorded.
    builders = {
        "step_decay": lambda opt: of.StepLR(opt, given["every"], given["factor"]),
        "linear": lambda opt: of.LinearLR(opt, 1.0, given["to"] / given["from"], given["steps"]),
        "cosine": lambda opt: of.CosineAnnealingLR(opt, given["steps"], given["floor"]),
    }
    columns = {}
    for label, build in builders.items():
        opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=given["lr"])
        scheduler = build(opt)
        columns[label] = []
        for _ in range(SCHEDULE_STEPS):
            columns[label].append(opt.param_groups[0]["lr"])
            opt.step()
            scheduler.step()
    tool = f"torch {torch.__version__.split('+')[0]}, float64, CPU; Python {platform.python_version()}"
    schedules("schedules-torch", "torch.optim.lr_scheduler: StepLR, LinearLR, CosineAnnealingLR", tool, given, columns)


def schedules_optax():
    """The learning rate of each update under optax's schedules: `grad` is t, the number of updates done."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    import optax

    given = {"lr": 0.8, "every": 4, "factor": 0.6, "from": 0.1, "to": 0.7, "peak": 0.4, "floor": 0.06, "steps": 14,
             "warmup": 4, "stable": 5, "cooldown": 6}
    peak, floor, warmup = given["peak"], given["floor"], given["warmup"]
    # optax counts a warm-up from its first value; peak / warmup to peak in warmup - 1 updates never has a rate of 0.
    rise = optax.linear_schedule(peak / warmup, peak, warmup - 1)
    cosine = lambda steps: optax.cosine_decay_schedule(peak, steps, floor / peak)
    wsd = [rise, optax.constant_schedule(peak), optax.linear_schedule(peak, floor, given["cooldown"])]
    of = {
        "step_decay": optax.exponential_decay(given["lr"], given["every"], given["factor"], staircase=True),
        "linear": optax.linear_schedule(given["from"], given["to"], given["steps"]),
        "cosine": cosine(given["steps"]),
        "warmup": rise,
        "warmup_cosine": optax.join_schedules([rise, cosine(given["steps"] - warmup)], [warmup]),
        "wsd": optax.join_schedules(wsd, [warmup, warmup + given["stable"]]),
    }
    columns = {label: [float(schedule(t)) for t in range(SCHEDULE_STEPS)] for label, schedule in of.items()}
    tool = f"optax {optax.__version__} on jax {jax.__version__}, float64, CPU; Python {platform.python_version()}"
    what = "optax.exponential_decay, linear_schedule, cosine_decay_schedule and join_schedules of them"
    schedules("schedules-optax", what, tool, given, columns)


def schedules(name, what, tool, given, columns):
    lines = settings(given) + ["start 0.0"]
    for t in range(SCHEDULE_STEPS):
        lines.append("grad " + numbers(t))
        lines += [f"{label} {numbers(column[t])}" for label, column in columns.items()]
    write(name, what, tool, lines)


def adam_square():
    """The worked trace of the chapter: f(x) = x^2 from 3, with the corrected moments that PyTorch's state implies."""
    import torch

    given = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    x = torch.tensor([3.0], dtype=torch.float64, requires_grad=True)
    opt = torch.optim.Adam([x], lr=given["lr"], betas=(given["beta1"], given["beta2"]), eps=given["eps"], foreach=False)
    lines = settings(given) + ["start 3.0"]
    for t in range(1, 11):
        opt.zero_grad()
        (x**2).sum().backward()
        lines.append("grad " + numbers(x.grad.numpy()))
        opt.step()
        m = opt.state[x]["exp_avg"].numpy()
        v = opt.state[x]["exp_avg_sq"].numpy()
        lines.append("theta " + numbers(x.detach().numpy()))
        lines.append("m " + numbers(m))
        lines.append("v " + numbers(v))
        lines.append("m_hat " + numbers(m / (1 - given["beta1"] ** t)))
        lines.append("v_hat " + numbers(v / (1 - given["beta2"] ** t)))
    tool = f"torch {torch.__version__.split('+')[0]}, float64, CPU; Python {platform.python_version()}"
    write("adam-square", "torch.optim.Adam on f(x) = x^2 from x = 3", tool, lines)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    write(
        "random",
        "the gradients of the other files: scales from 1e-6 to 1e6, one seldom touched coordinate, one always zero",
        f"numpy {np.__version__}, default_rng(20240704); Python {platform.python_version()}",
        ["start " + numbers(START)] + ["grad " + numbers(grad) for grad in GRADS],
    )
    adam_square()

    plain = {"foreach": False}
    torch_run("sgd-torch", "torch.optim.SGD", {"lr": 0.01},
              lambda torch, p: torch.optim.SGD(p, lr=0.01, **plain))
    torch_run("sgd-momentum-torch", "torch.optim.SGD", {"lr": 0.01, "momentum": 0.9},
              lambda torch, p: torch.optim.SGD(p, lr=0.01, momentum=0.9, **plain))
    torch_run("sgd-nesterov-torch", "torch.optim.SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": 1},
              lambda torch, p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True, **plain))
    torch_run("sgd-weight-decay-torch", "torch.optim.SGD", {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1},
              lambda torch, p: torch.optim.SGD(p, lr=0.01, momentum=0.9, weight_decay=0.1, **plain))
    torch_run("adam-torch", "torch.optim.Adam", {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
              lambda torch, p: torch.optim.Adam(p, lr=0.01, **plain),
              state=[("m", "exp_avg"), ("v", "exp_avg_sq")])
    torch_run("adam-weight-decay-torch", "torch.optim.Adam",
              {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.1},
              lambda torch, p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1, **plain))
    torch_run("amsgrad-torch", "torch.optim.Adam(amsgrad=True)",
              {"lr": 0.01, "beta1": 0.9, "beta2": 0.9, "eps": 1e-8},
              lambda torch, p: torch.optim.Adam(p, lr=0.01, betas=(0.9, 0.9), amsgrad=True, **plain))

    optax_run("sgd-optax", "optax.sgd", {"lr": 0.01}, lambda optax: optax.sgd(0.01))
    optax_run("sgd-momentum-optax", "optax.sgd", {"lr": 0.01, "momentum": 0.9},
              lambda optax: optax.sgd(0.01, momentum=0.9))
    optax_run("sgd-nesterov-optax", "optax.sgd", {"lr": 0.01, "momentum": 0.9, "nesterov": 1},
              lambda optax: optax.sgd(0.01, momentum=0.9, nesterov=True))
    optax_run("adam-optax", "optax.adam", {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3},
              lambda optax: optax.adam(0.02, b1=0.8, b2=0.95, eps=1e-3))
    optax_run("adam-eps-root-optax", "optax.adam", {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "eps_root": 1e-4},
              lambda optax: optax.adam(0.01, eps_root=1e-4))
    optax_run("amsgrad-optax", "optax.amsgrad", {"lr": 0.01, "beta1": 0.9, "beta2": 0.9, "eps": 1e-8},
              lambda optax: optax.amsgrad(0.01, b1=0.9, b2=0.9))

    # The runs below are those of one exercise each, and shorter.
    torch_run("adagrad-torch", "torch.optim.Adagrad", {"lr": 0.1, "eps": 1e-10},
              lambda torch, p: torch.optim.Adagrad(p, lr=0.1, **plain), steps=40)
    torch_run("adagrad-initial-torch", "torch.optim.Adagrad",
              {"lr": 0.1, "eps": 1e-3, "initial": 0.25},
              lambda torch, p: torch.optim.Adagrad(p, lr=0.1, eps=1e-3, initial_accumulator_value=0.25, **plain), steps=40)
    torch_run("rmsprop-torch", "torch.optim.RMSprop", {"lr": 0.01, "beta": 0.99, "eps": 1e-8},
              lambda torch, p: torch.optim.RMSprop(p, lr=0.01, **plain), steps=40)
    torch_run("rmsprop-centered-torch", "torch.optim.RMSprop", {"lr": 0.01, "beta": 0.9, "eps": 1e-3, "centered": 1},
              lambda torch, p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-3, centered=True, **plain), steps=40)
    torch_run("adamw-torch", "torch.optim.AdamW",
              {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.1},
              lambda torch, p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, **plain), steps=40)
    optax_run("adamw-optax", "optax.adamw",
              {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.2},
              lambda optax: optax.adamw(0.02, b1=0.8, b2=0.95, eps=1e-3, weight_decay=0.2), steps=40)
    optax_run("sgd-average-optax", "optax.chain(ema(debias=False), scale)", {"lr": 0.01, "momentum": 0.9},
              lambda optax: optax.chain(optax.ema(0.9, debias=False), optax.scale(-0.01)), steps=40)
    optax_run("sgdw-optax", "optax.chain(trace, add_decayed_weights, scale)",
              {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1},
              lambda optax: optax.chain(optax.trace(0.9), optax.add_decayed_weights(0.1), optax.scale(-0.01)), steps=40)
    clip_run("clip-optax", {"lr": 1.0, "max_norm": 5e5}, lambda optax: optax.clip_by_global_norm(5e5))
    schedules_torch()
    schedules_optax()


if __name__ == "__main__":
    main()
