"""Kernels that are started before anybody asks for one.

JupyterLab hands a kernel's start to a provisioner, which the kernelspec names. This one keeps a kernel of the kind that
was asked for last already running, gives it away at the next start or restart, and starts the next one. A kernel that has
died, or that was started before the course's crates changed, is never given away; without one that fits, a kernel is started
as Jupyter would.

MOMENTS_POOL says how many kernels wait: 1 unless it is set, 0 for none. No kernel is started ahead while less than
MOMENTS_POOL_FREE_MB (1500 unless set) of memory would be free, and those that wait end when less than half of that is.

Every kernel started here ends when this process ends, however it ends: it holds the other end of the kernel's standard
input, and the launcher of the course watches that.
"""

import asyncio
import atexit
import json
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import psutil
from jupyter_client.connect import LocalPortCache, port_names, write_connection_file
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.launcher import launch_kernel
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

# Read by the launcher: end when standard input ends.
WATCH = "--while-open"
ADDRESS = "127.0.0.1"
# What of the environment tells two kernels apart. The rest differs from notebook to notebook.
TELLING = ("CARGO", "EVCXR_", "HOME", "MOMENTS_", "PATH", "RUST", "TMPDIR")
# What a kernel's crates are made from, relative to the clone.
SOURCES = (
    "Cargo.toml",
    "Cargo.lock",
    "crates/moments/Cargo.toml",
    "crates/moments/src",
    "crates/lab/Cargo.toml",
    "crates/lab/src",
)
SECONDS_BETWEEN_LOOKS = 5
# So many kernels may die one after the other before one was ready; then no other is started until one is asked for.
FAILURES = 3
# What a kernel takes, in MB, with all its processes.
KERNEL_MB = 700


def number(name, default):
    try:
        return max(0, int(os.environ.get(name, default)))
    except ValueError:
        return default


def free_mb():
    """The memory that is free: of the machine, or of the container where that has less."""
    free = psutil.virtual_memory().available
    try:
        # Where there is no limit, the file says "max".
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        fields = dict(line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines())
        # Files that were read lately are counted as used, and are given back when memory is short.
        used = int(Path("/sys/fs/cgroup/memory.current").read_text()) - int(fields["inactive_file"])
        free = min(free, limit - used)
    except (OSError, ValueError, KeyError):
        pass
    return free // 1_000_000


class Warm:
    """A kernel that runs, and belongs to no notebook yet."""

    def __init__(self, argv, cwd, env, runtime):
        self.kind = kind(argv, cwd, env)
        # Once it listens, it is ready; a kernel that was ready and does not listen has died.
        self.ready = False
        cache = LocalPortCache.instance()
        self.ports = {name: cache.find_available_port(ADDRESS) for name in port_names}
        file = str(Path(runtime) / f"moments-pool-{secrets.token_hex(8)}.json")
        try:
            # The name of the file is known to Jupyter alone; so is the key, which signs every message.
            self.file, info = write_connection_file(
                file, ip=ADDRESS, key=secrets.token_hex(32).encode(), **self.ports
            )
            self.info = dict(info, key=info["key"].encode())
            self.process = launch_kernel(
                [part.replace("{connection_file}", self.file) for part in argv],
                stdin=subprocess.PIPE,
                cwd=cwd,
                env=env,
            )
        except BaseException:
            self.return_ports()
            Path(file).unlink(missing_ok=True)
            raise

    def alive(self):
        if self.process.poll() is not None:
            return False
        listens = self.listens()
        if self.ready:
            # Its launcher may still be tidying up after it.
            return listens
        self.ready = listens
        return True

    def listens(self):
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex((ADDRESS, self.ports["hb_port"])) == 0

    def return_ports(self):
        for port in self.ports.values():
            LocalPortCache.instance().return_port(port)

    def forget_file(self):
        Path(self.file).unlink(missing_ok=True)

    def end(self):
        """Lets the kernel end; its launcher tidies up after it."""
        self.process.stdin.close()
        self.forget_file()
        self.return_ports()


def kind(argv, cwd, env):
    """Kernels of one kind may stand in for one another."""
    telling = sorted(item for item in env.items() if item[0].startswith(TELLING))
    return json.dumps([argv, os.path.realpath(cwd), telling, sources(argv)])


def sources(argv):
    """The state of the crates that the kernel of this command shows: one that runs still has them as they were."""
    try:
        root = Path(argv[argv.index("--root") + 1])
    except (ValueError, IndexError):
        return []
    found = []
    for source in SOURCES:
        files = sorted((root / source).rglob("*.*")) if (root / source).is_dir() else [root / source]
        for file in files:
            try:
                status = file.stat()
            except OSError:
                continue
            found.append([str(file), status.st_mtime_ns, status.st_size])
    return found


class Pool:
    def __init__(self):
        self.waiting = []
        self.wanted = None
        self.runtime = None
        self.task = None
        self.note = None
        self.failures = 0

    def size(self):
        # Only a server keeps kernels waiting, and only where the launcher can watch its standard input.
        return number("MOMENTS_POOL", 1) if self.note is not None and os.name == "posix" else 0

    def take(self, argv, cwd, env):
        """A kernel that fits, if one waits and lives. Those that do not fit make room for those that do."""
        self.wanted, self.failures = (argv, cwd, env), 0
        asked, found = kind(argv, cwd, env), None
        for warm in list(self.waiting):
            if found is None and warm.kind == asked and warm.alive():
                self.waiting.remove(warm)
                found = warm
            elif warm.kind != asked or not warm.alive():
                self.drop(warm)
        self.tell()
        return found

    def drop(self, warm):
        self.waiting.remove(warm)
        warm.end()

    def room(self):
        return free_mb() > number("MOMENTS_POOL_FREE_MB", 1500) + KERNEL_MB

    def short(self):
        return free_mb() < number("MOMENTS_POOL_FREE_MB", 1500) // 2

    def fill(self, runtime, delay=0.0):
        """Starts what is missing, one after the other, soon: the kernel that was just asked for goes first."""
        self.runtime = runtime
        if self.task is not None:
            self.task.cancel()
        self.task = asyncio.get_running_loop().create_task(self.keep(delay))

    async def keep(self, delay):
        """Looks after the kernels that wait for as long as the server runs."""
        await asyncio.sleep(delay)
        while True:
            try:
                self.look()
            except Exception as error:
                print(f"moments-pool: {error!r}", file=sys.stderr)
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    def look(self):
        for warm in list(self.waiting):
            if warm.alive():
                self.failures = 0 if warm.ready else self.failures
            else:
                self.failures += 0 if warm.ready else 1
                self.drop(warm)
        if self.waiting and (len(self.waiting) > self.size() or self.short()):
            self.drop(self.waiting[-1])
        elif len(self.waiting) < self.size() and self.wanted and self.failures < FAILURES and self.room():
            # One at a time: two that start together take each other's time.
            if all(warm.ready for warm in self.waiting):
                try:
                    self.waiting.append(Warm(*self.wanted, self.runtime))
                except OSError as error:
                    self.failures += 1
                    print(f"moments-pool: no kernel could be started ahead: {error}", file=sys.stderr)
        self.tell()

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
        for warm in list(self.waiting):
            self.drop(warm)
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
            and manager.ip == ADDRESS
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
            self.process, self.held = warm.process, warm
            # Its ports are taken over too: they are given back when the kernel ends, and kept when it restarts.
            self.connection_info, self.ports_cached = warm.info, True
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
