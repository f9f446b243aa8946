"""Kernels that are started before anybody asks for one.

JupyterLab hands a kernel's start to a provisioner, which the kernelspec names. This one keeps a kernel of the kind that
was asked for last already running, gives it away at the next start or restart, and starts the next one. A kernel that has
died is never given away; without one that fits, a kernel is started as Jupyter would.

MOMENTS_POOL says how many kernels wait: 1 unless it is set, 0 for none. No kernel is started ahead while less than
MOMENTS_POOL_FREE_MB (1500 unless set) of memory would be free.

Every kernel started here ends when this process ends, however it ends: it holds the other end of the kernel's standard
input, and the launcher of the course watches that.
"""

import asyncio
import atexit
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import psutil
from jupyter_client.connect import write_connection_file
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.launcher import launch_kernel
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

# Read by the launcher: end when standard input ends.
WATCH = "--while-open"
# What of the environment tells two kernels apart. The rest differs from notebook to notebook.
TELLING = ("CARGO", "EVCXR_", "HOME", "MOMENTS_", "PATH", "RUST")
SECONDS_BETWEEN_TRIES = 5


def number(name, default):
    try:
        return max(0, int(os.environ.get(name, default)))
    except ValueError:
        return default


class Warm:
    """A kernel that runs, and belongs to no notebook yet."""

    def __init__(self, argv, cwd, env, runtime):
        self.kind = kind(argv, cwd, env)
        file = str(Path(runtime) / f"moments-pool-{secrets.token_hex(8)}.json")
        # The name of the file is known to Jupyter alone; so is the key, which signs every message.
        self.file, self.info = write_connection_file(file, ip="127.0.0.1", key=secrets.token_hex(32).encode())
        self.info = dict(self.info, key=self.info["key"].encode())
        try:
            self.process = launch_kernel(
                [part.replace("{connection_file}", self.file) for part in argv],
                stdin=subprocess.PIPE,
                cwd=cwd,
                env=env,
            )
        except BaseException:
            os.unlink(self.file)
            raise

    def alive(self):
        return self.process.poll() is None

    def forget_file(self):
        try:
            os.unlink(self.file)
        except OSError:
            pass

    def end(self):
        """Lets the kernel end; its launcher tidies up after it."""
        self.process.stdin.close()
        self.forget_file()


def kind(argv, cwd, env):
    """Kernels of one kind may stand in for one another."""
    telling = sorted(item for item in env.items() if item[0].startswith(TELLING))
    return json.dumps([argv, str(cwd), telling])


class Pool:
    def __init__(self):
        self.waiting = []
        self.wanted = None
        self.task = None
        self.note = None

    def size(self):
        # Only a server keeps kernels waiting, and only where the launcher can watch its standard input.
        return number("MOMENTS_POOL", 1) if self.note is not None and os.name == "posix" else 0

    def take(self, argv, cwd, env):
        """A kernel that fits, if one waits and lives. Those that do not fit make room for those that do."""
        self.wanted = (argv, cwd, env)
        asked, found = kind(argv, cwd, env), None
        for warm in list(self.waiting):
            if not warm.alive():
                self.waiting.remove(warm)
                warm.end()
            elif warm.kind == asked and found is None:
                self.waiting.remove(warm)
                found = warm
            elif warm.kind != asked:
                self.waiting.remove(warm)
                warm.end()
        self.tell()
        return found

    def room(self):
        return psutil.virtual_memory().available > (number("MOMENTS_POOL_FREE_MB", 1500) + 700) * 1_000_000

    def fill(self, runtime, delay=0.0):
        """Starts what is missing, one after the other, soon: the kernel that was just asked for goes first."""
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self.filling(runtime, delay))

    async def filling(self, runtime, delay):
        await asyncio.sleep(delay)
        while True:
            for warm in [warm for warm in self.waiting if not warm.alive()]:
                self.waiting.remove(warm)
                warm.end()
            if self.wanted is None or len(self.waiting) >= self.size():
                self.tell()
                return
            if self.room():
                try:
                    self.waiting.append(Warm(*self.wanted, runtime))
                except OSError as error:
                    print(f"moments-pool: no kernel could be started ahead: {error}", file=sys.stderr)
                    return
                self.tell()
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)

    def tell(self):
        """Writes down which processes wait, for `cargo course status`."""
        if self.note is None:
            return
        waiting = [{"pid": warm.process.pid, "server": os.getpid()} for warm in self.waiting]
        try:
            partial = self.note.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps(waiting), encoding="utf-8")
            partial.replace(self.note)
        except OSError:
            pass

    def end(self):
        for warm in self.waiting:
            warm.end()
        self.waiting.clear()
        if self.note is not None:
            self.note.unlink(missing_ok=True)


POOL = Pool()
atexit.register(POOL.end)


class PoolProvisioner(LocalProvisioner):
    """Gives a kernel that runs already to whoever starts or restarts one."""

    # The kernel that was given away, if one was.
    held = None

    async def launch_kernel(self, cmd, **kwargs):
        manager = self.parent
        # Encryption and other addresses are left to Jupyter's own way.
        plain = (
            manager is not None
            and manager.transport == "tcp"
            and manager.ip == "127.0.0.1"
            and getattr(manager, "curve_publickey", None) is None
        )
        if not plain:
            return await super().launch_kernel(cmd, **kwargs)
        argv = template(self.kernel_spec.argv)
        cwd = str(kwargs.get("cwd") or os.getcwd())
        env = dict(kwargs.get("env") or os.environ)
        runtime = Path(manager.connection_file).parent
        warm = POOL.take(argv, cwd, env)
        if warm is None:
            place = cmd.index(manager.connection_file)
            watched = [*cmd[:place], WATCH, *cmd[place:]]
            await super().launch_kernel(watched, **{**kwargs, "stdin": subprocess.PIPE})
        else:
            if self.ports_cached:
                # The ports that were set aside for a cold start.
                await super().cleanup(restart=False)
                self.ports_cached = False
            self.process, self.held = warm.process, warm
            self.connection_info = warm.info
            self.pid, self.cwd = warm.process.pid, cwd
            # It leads a group of its own, as every kernel that Jupyter starts.
            self.pgid = self.pid if os.name == "posix" else None
        if POOL.size() > 0:
            # Not at once: the kernel that was asked for compiles its first cell now.
            POOL.fill(runtime, delay=8.0)
        return self.connection_info

    async def cleanup(self, restart=False):
        await super().cleanup(restart=restart)
        if self.held is not None:
            self.held.forget_file()
            self.held = None


def template(argv):
    """The launcher's command, with the watch on its standard input."""
    place = argv.index("{connection_file}")
    return [*argv[:place], WATCH, *argv[place:]]


def _jupyter_server_extension_points():
    return [{"module": "moments_pool"}]


def _load_jupyter_server_extension(app):
    """Starts the first kernel ahead together with the server."""
    POOL.note = Path(app.runtime_dir) / "moments-pool.json"
    POOL.note.unlink(missing_ok=True)
    # Where the first notebook will be: a kernel cannot change its folder.
    folder = os.environ.get("MOMENTS_POOL_FOLDER")
    if POOL.size() == 0 or not folder:
        return
    spec = KernelSpecManager(parent=app).get_kernel_spec("moments")
    env = {**os.environ, **spec.env}
    POOL.wanted = (template(spec.argv), folder, env)

    async def begin():
        POOL.fill(app.runtime_dir)

    app.io_loop.add_callback(begin)
