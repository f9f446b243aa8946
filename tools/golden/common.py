"""What the generators of the crate's golden runs share: the numbers, the runners and the file format.

A golden run is 100 steps of one optimizer of PyTorch or optax, or of a transcription of a paper where neither has it.
Its gradients are not stored. They follow from the step and the entry, here and in
crates/moments/tests/golden/harness.rs alike:

    i mod 9 = 0..6   uniform in (-1, 1) times 1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6
    i mod 9 = 7      uniform in (-1, 1) in one step of ten, zero otherwise
    i mod 9 = 8      always zero

The start is uniform in (-1, 1). Curvature is uniform in (0, 1) times the square root of the gradient's scale,
with every fifth entry negative in every third step.

Each generator writes one file, crates/moments/tests/golden/RULE.txt. It needs: pip install torch optax numpy
Some need timm too: pip install --no-deps timm
"""

import importlib
import importlib.metadata
import importlib.util
import pathlib
import platform
import sys
import types

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "crates" / "moments" / "tests" / "golden"
STEPS = 100
SHOWN = 9
SCALES = np.array([1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e4, 1e6, 1.0, 0.0])


def uniform(stream, t, n):
    """Numbers in (-1, 1), one for each entry, from splitmix64's finaliser: the same bits in NumPy and in Rust."""
    with np.errstate(over="ignore"):
        z = np.arange(n, dtype=np.uint64) + np.uint64((stream << 48) + (t << 32))
        z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) / 2.0**52 - 1.0


def scales(n):
    return SCALES[np.arange(n) % 9]


def start(shape):
    return uniform(0, 0, int(np.prod(shape))).reshape(shape)


def gradient(t, shape):
    n = int(np.prod(shape))
    sparse = (np.arange(n) % 9 == 7) & (uniform(2, t, n) >= -0.8)
    return np.where(sparse, 0.0, uniform(1, t, n) * scales(n)).reshape(shape)


def curvature(t, shape):
    n = int(np.prod(shape))
    sign = np.where((np.arange(n) % 5 == 4) & (t % 3 == 0), -1.0, 1.0)
    return (sign * np.abs(uniform(3, t, n)) * np.sqrt(scales(n))).reshape(shape)


def numbers(values, dtype):
    return " ".join(repr(float(value)) if dtype == "f64" else str(np.float32(value)) for value in np.ravel(values))


def falling(t):
    """A schedule multiplier that falls from 1, by 1/200 a step."""
    return 1 - (t - 1) / 200


class Falling:
    """An optimizer of PyTorch's kind, whose rate is multiplied by `falling`."""

    def __init__(self, opt):
        self.opt, self.state, self.t = opt, opt.state, 0
        self.lr = opt.param_groups[0]["lr"]

    def step(self):
        self.t += 1
        self.opt.param_groups[0]["lr"] = self.lr * falling(self.t)
        self.opt.step()


def timm_module(name):
    """A module of timm.optim alone, since importing all of timm would need torchvision."""
    folder = pathlib.Path(importlib.util.find_spec("timm").submodule_search_locations[0])
    for package, path in [("timm", folder), ("timm.optim", folder / "optim")]:
        parent = types.ModuleType(package)
        parent.__path__ = [str(path)]
        sys.modules[package] = parent
    return importlib.import_module(f"timm.optim.{name}")


class File:
    """One golden file: `with File("adamw") as file: file.run(...)`."""

    def __init__(self, rule):
        self.rule, self.lines, self.tools = rule, [], []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            return
        tools = "; ".join(dict.fromkeys([*self.tools, f"Python {platform.python_version()}"]))
        header = [f"# tool: {tools}", f"# command: python tools/golden/{self.rule}.py"]
        path = FOLDER / f"{self.rule}.txt"
        path.write_text("\n".join(header + self.lines) + "\n", encoding="utf-8", newline="\n")
        print(f"{path.name}: {path.stat().st_size} bytes")

    def run(self, name, source, settings, options, shape, trajectory, dtype="f64"):
        """Writes a run from `trajectory`: one dict of label -> array for each step, `theta` among them.

        In f64 the first entries of theta are written for each step, and everything in full for the last one;
        in f32 everything is written in full for each step.
        """
        steps = list(trajectory)
        assert len(steps) == STEPS and all(np.isfinite(s["theta"]).all() for s in steps), name
        self.lines += [f"run {name}", f"from {source}"]
        self.lines += [f"set {key} {float(value)!r}" for key, value in settings.items()]
        self.lines += [f"option {key} {value}" for key, value in options.items()]
        self.lines += [f"dtype {dtype}", "shape " + " ".join(map(str, shape))]
        for t, values in enumerate(steps, 1):
            if dtype == "f64":
                self.lines.append(f"step {t} theta {numbers(np.ravel(values['theta'])[:SHOWN], dtype)}")
            else:
                self.lines += [f"step {t} {label} {numbers(array, dtype)}" for label, array in values.items()]
        if dtype == "f64":
            self.lines += [f"final {label} {numbers(array, dtype)}" for label, array in steps[-1].items()]

    def torch(self, name, source, build, settings, options=None, shape=(1023,), state=None, dtype="f64"):
        """Runs a PyTorch optimizer. `build` takes [parameter]; `state` maps our names of state tensors to PyTorch's."""
        import torch

        self.tools.append(f"torch {torch.__version__.split('+')[0]} on the CPU")
        kind = torch.float64 if dtype == "f64" else torch.float32

        def steps():
            theta = torch.tensor(start(shape), dtype=kind, requires_grad=True)
            opt = build([theta])
            for t in range(1, STEPS + 1):
                theta.grad = torch.tensor(gradient(t, shape), dtype=kind)
                opt.step()
                kept = {ours: opt.state[theta][theirs].numpy().copy() for ours, theirs in (state or {}).items()}
                yield {"theta": theta.detach().numpy().copy(), **kept}

        self.run(name, source, settings, options or {}, shape, steps(), dtype)

    def timm(self, *args, **kwargs):
        """Runs an optimizer of timm as `torch` runs PyTorch's."""
        self.tools.append(f"timm {importlib.metadata.version('timm')}")
        self.torch(*args, **kwargs)

    def optax(self, name, source, opt, settings, options=None, shape=(1023,), state=None):
        """Runs an optax transformation in x64. `state`, if given, maps its state to a dict of our names -> arrays."""
        import jax

        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_platforms", "cpu")
        import jax.numpy as jnp
        import optax

        self.tools.append(f"optax {optax.__version__} on jax {jax.__version__}, x64")

        def steps():
            theta = jnp.asarray(start(shape), dtype=jnp.float64)
            kept = opt.init(theta)
            for t in range(1, STEPS + 1):
                updates, kept = opt.update(jnp.asarray(gradient(t, shape)), kept, theta)
                theta = optax.apply_updates(theta, updates)
                assert theta.dtype == jnp.float64
                named = state(kept) if state else {}
                yield {"theta": np.asarray(theta), **{key: np.asarray(value) for key, value in named.items()}}

        self.run(name, source, settings, options or {}, shape, steps())

    def paper(self, name, source, step, settings, options=None, shape=(1023,)):
        """Runs a transcription of a paper: `step(t, theta, grad, state)` returns the new theta; `state` is a dict that it keeps."""
        self.tools.append(f"numpy {np.__version__}, float64, a transcription of the paper")

        def steps():
            theta, state = start(shape), {}
            for t in range(1, STEPS + 1):
                theta = step(t, theta, gradient(t, shape), state)
                yield {"theta": theta.copy()}

        self.run(name, source, settings, options or {}, shape, steps())
