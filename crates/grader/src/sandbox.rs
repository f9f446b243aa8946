//! Where code of strangers is compiled and run: probed at start, recorded in every outcome.
//!
//! Inside, whatever the tier: no network, the system's `/usr` read-only, a private `/tmp` of bounded size, a process table of its own,
//! an empty environment, a user without rights, and limits on CPU time, memory, processes and file sizes.
//! What the task needs is mounted read-only at places that the grader names; at most one folder is writable.
//!
//! `prlimit`, `setpriv` and `unshare` are those of util-linux. Root becomes another user inside: the kernel exempts root from the limit on processes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::outcome::Tier;

/// What a program may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// CPU time of a process, in seconds.
    pub cpu: u32,
    /// Address space of a process, in megabytes (2²⁰ bytes).
    pub memory: u32,
    /// Processes and threads.
    pub processes: u32,
    /// Size of a file that it writes, in megabytes.
    pub file: u32,
}

/// A program to be run in a sandbox.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The program and its arguments, as paths inside.
    pub argv: Vec<OsString>,
    /// What is mounted read-only: the path outside, the path inside.
    pub mounts: Vec<(PathBuf, &'a str)>,
    /// The one folder that is writable, outside; inside it is `/out`.
    pub out: Option<&'a Path>,
    /// The folder in which it starts, inside.
    pub cwd: &'a str,
    /// What it may use.
    pub limits: Limits,
    /// Which of the jobs that run at the same time this is: each has a user of its own.
    pub slot: u32,
    /// Whether the program has its questions on 3 and its answers on 4 instead of standard input and output, which it then has not.
    pub wired: bool,
}

/// A sandbox that this machine offers.
#[derive(Clone, Debug)]
pub struct Sandbox {
    tier: Tier,
    /// The program that makes it: a path.
    engine: PathBuf,
    /// What the engine is told before anything else.
    before: Vec<&'static str>,
    root: bool,
    /// Folders of the system beside `/usr`: links into it, or folders of their own on older systems.
    system: Vec<(PathBuf, Option<PathBuf>)>,
}

/// Said by the wrapper on standard output when the sandbox stands, before the program starts.
pub(crate) const STANDS: &[u8] = b"sandbox\n";

/// The first user id that is given to jobs; nobody else's on common systems.
const FIRST_USER: u32 = 64_000;

impl Sandbox {
    /// The strongest sandbox that this machine offers, or the one that is wanted.
    ///
    /// # Errors
    /// A sentence for each tier that was tried, saying what is missing and what brings it.
    pub fn probe(wanted: Option<Tier>) -> Result<Self, String> {
        let order = [Tier::Bubblewrap, Tier::Container, Tier::User];
        let mut reasons = Vec::new();
        let tiers: Vec<Tier> = wanted.map_or_else(|| order.to_vec(), |tier| vec![tier]);
        for tier in tiers {
            match Self::of(tier).and_then(|sandbox| {
                let other = sandbox.other_runtime();
                sandbox
                    .tried()
                    .or_else(|why| other.map_or(Err(why), Self::tried))
            }) {
                Ok(sandbox) => return Ok(sandbox),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(reasons.join("\n"))
    }

    /// Every tier that this machine offers.
    pub fn offered() -> Vec<Self> {
        [Tier::Container, Tier::Bubblewrap, Tier::User, Tier::None]
            .into_iter()
            .filter_map(|tier| Self::probe(Some(tier)).ok())
            .collect()
    }

    /// How strong it is.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    fn of(tier: Tier) -> Result<Self, String> {
        let root = rustix::process::geteuid().is_root();
        let engine = match tier {
            Tier::Bubblewrap => find("bwrap").ok_or(
                "bubblewrap: there is no `bwrap`; on Debian and Ubuntu `apt install bubblewrap`",
            )?,
            Tier::Container => find("podman").or_else(|| find("docker")).ok_or(
                "container: there is neither `podman` nor `docker`; on Debian and Ubuntu `apt install podman`",
            )?,
            Tier::User if !root => {
                return Err("user: only root can become another user".to_owned());
            }
            Tier::User => {
                find("unshare").ok_or("user: there is no `unshare`; it is part of util-linux")?
            }
            Tier::None => PathBuf::from("/bin/sh"),
        };
        if tier != Tier::None {
            for tool in ["prlimit", "setpriv"] {
                if !Path::new("/usr/bin").join(tool).exists() {
                    return Err(format!(
                        "{tier:?}: there is no `/usr/bin/{tool}`; it is part of util-linux"
                    ));
                }
            }
        }
        let system = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]
            .map(|name| Path::new("/").join(name))
            .into_iter()
            .filter_map(|path| {
                let kind = std::fs::symlink_metadata(&path).ok()?;
                let target = kind
                    .is_symlink()
                    .then(|| std::fs::read_link(&path))
                    .transpose();
                Some((path, target.ok()?))
            })
            .collect();
        Ok(Self {
            tier,
            engine,
            before: Vec::new(),
            root,
            system,
        })
    }

    /// The same with podman's other runtime: the one that it takes by itself does not know every arrangement of control groups.
    fn other_runtime(&self) -> Option<Self> {
        (self.engine.ends_with("podman") && find("runc").is_some()).then(|| Self {
            before: vec!["--runtime", "runc"],
            ..self.clone()
        })
    }

    /// Whether it works here: a program is run in it.
    fn tried(self) -> Result<Self, String> {
        if self.tier == Tier::Container {
            container::image(&self.engine)?;
        }
        let task = Task {
            argv: vec!["/usr/bin/true".into()],
            mounts: Vec::new(),
            out: None,
            cwd: "/",
            limits: Limits {
                cpu: 5,
                memory: 512,
                processes: 1,
                file: 1,
            },
            slot: 0,
            wired: false,
        };
        if self.tier == Tier::None && !Path::new("/usr/bin/true").exists() {
            return Err("none: there is no /usr/bin/true".to_owned());
        }
        let output = self
            .command(&task)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", self.engine.display()))?;
        if output.status.success() && output.stdout == STANDS {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said
            .lines()
            .next()
            .unwrap_or("it ended without a word")
            .to_owned();
        let hint = if self.tier == Tier::Bubblewrap && !self.root {
            "; where user namespaces are restricted (Ubuntu 24.04) bubblewrap needs an AppArmor profile, or run as root"
        } else {
            ""
        };
        Err(format!(
            "{}: it is here but does not work: {said}{hint}",
            self.engine.display()
        ))
    }

    /// Whether it comes up right now, for a job of that slot.
    pub(crate) fn stands(&self, limits: Limits, slot: u32) -> bool {
        let task = Task {
            argv: vec!["/usr/bin/true".into()],
            mounts: Vec::new(),
            out: None,
            cwd: "/",
            limits,
            slot,
            wired: false,
        };
        let output = self.command(&task).stdin(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success() && output.stdout == STANDS)
    }

    /// The command that runs a task. It ends when the grader does, and with it everything that was started inside.
    pub fn command(&self, task: &Task<'_>) -> Command {
        let mut command = match self.tier {
            Tier::Bubblewrap => self.bubblewrap(task),
            Tier::User => self.user(task),
            Tier::Container => container::command(&self.engine, self, task),
            Tier::None => unconfined(task),
        };
        if self.tier != Tier::Container {
            // An engine needs its own; a container has another one anyway.
            command.env_clear();
            command.env("PATH", "/usr/bin:/usr/sbin:/bin:/sbin");
        }
        command
    }

    /// Who may write into a folder that is a task's `/out`: the job's user if we are root.
    pub(crate) fn owner_of_out(&self, slot: u32) -> Option<u32> {
        (self.root && self.tier != Tier::None).then_some(user_of(slot))
    }

    fn bubblewrap(&self, task: &Task<'_>) -> Command {
        let mut command = Command::new(&self.engine);
        command.args([
            "--die-with-parent",
            "--new-session",
            "--hostname",
            "sandbox",
        ]);
        command.args([
            "--unshare-ipc",
            "--unshare-pid",
            "--unshare-net",
            "--unshare-uts",
            "--unshare-cgroup-try",
        ]);
        if self.root {
            for right in ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"] {
                command.args(["--cap-add", right]);
            }
        } else {
            command.args(["--unshare-user", "--uid", "65534", "--gid", "65534"]);
        }
        command.args([
            "--clearenv",
            "--setenv",
            "PATH",
            "/usr/bin",
            "--ro-bind",
            "/usr",
            "/usr",
        ]);
        for (path, target) in &self.system {
            match target {
                Some(target) => command.arg("--symlink").arg(target).arg(path),
                None => command.arg("--ro-bind").arg(path).arg(path),
            };
        }
        command.args(["--proc", "/proc", "--dev", "/dev"]);
        command.args(["--perms", "1777", "--size", TMP, "--tmpfs", "/tmp"]);
        for (outside, inside) in &task.mounts {
            command.arg("--ro-bind").arg(outside).arg(inside);
        }
        if let Some(out) = task.out {
            command.arg("--bind").arg(out).arg("/out");
        }
        command.args([
            "--remount-ro",
            "/dev",
            "--remount-ro",
            "/",
            "--chdir",
            task.cwd,
        ]);
        command.args(["--", "/bin/sh", "-c", &inner(task.wired), "sh"]);
        if self.root {
            command.args(drop_rights(user_of(task.slot)));
        }
        // Outside a user namespace of its own bubblewrap's reaper belongs to somebody else; inside it counts.
        let own = u32::from(!self.root);
        command.args(prlimit(task.limits, own)).args(&task.argv);
        command
    }

    fn user(&self, task: &Task<'_>) -> Command {
        let mut command = Command::new("/usr/bin/setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(&self.engine);
        command.args(["--mount", "--pid", "--net", "--ipc", "--uts", "--fork"]);
        command.args([
            "--kill-child=KILL",
            "--propagation",
            "private",
            "/bin/sh",
            "-c",
        ]);
        // A folder that every system has, and that nothing is mounted from: it is covered, for this process alone.
        let mut script = String::from(
            "set -e\n\
             root=/mnt\n\
             mount -t tmpfs -o size=1m,mode=755,nosuid,nodev tmpfs $root\n\
             cover() { if [ -d \"$1\" ]; then mkdir -p \"$2\"; else : > \"$2\"; fi; mount --bind \"$1\" \"$2\"; mount -o \"remount,bind,nosuid,$3\" \"$2\"; }\n\
             mkdir $root/proc $root/dev $root/tmp\n\
             cover /usr $root/usr ro\n",
        );
        for (path, target) in &self.system {
            let (path, name) = (quoted(path), quoted(path.strip_prefix("/").unwrap_or(path)));
            script += &match target {
                Some(target) => format!("ln -s {} $root/{name}\n", quoted(target)),
                None => format!("cover {path} $root/{name} ro\n"),
            };
        }
        script += "mount -t proc -o nosuid,nodev,noexec proc $root/proc\n\
             for device in null zero full random urandom; do : > $root/dev/$device; mount --bind /dev/$device $root/dev/$device; done\n";
        script += &format!("mount -t tmpfs -o size={TMP},mode=1777,nosuid,nodev tmpfs $root/tmp\n");
        for (outside, inside) in &task.mounts {
            script += &format!("cover {} $root{inside} ro\n", quoted(outside));
        }
        if let Some(out) = task.out {
            script += &format!("cover {} $root/out rw\n", quoted(out));
        }
        script += "mount -o remount,ro $root\n";
        // The shell stays: signals do not end the first process of a process table as they end others.
        script += &format!(
            "set +e\nchroot $root /bin/sh -c {} sh \"$@\"\nexit $?\n",
            quoted(Path::new(&format!(
                "cd {} && {}",
                task.cwd,
                inner(task.wired)
            )))
        );
        command.arg(script).arg("sh");
        command
            .args(drop_rights(user_of(task.slot)))
            .args(prlimit(task.limits, 0))
            .args(&task.argv);
        command
    }
}

/// A user of its own for each job that runs at the same time.
fn user_of(slot: u32) -> u32 {
    FIRST_USER + slot
}

/// How large `/tmp` may become, in bytes.
const TMP: &str = "16777216";

/// What a shell inside does: it says that the sandbox stands, and becomes the program.
fn inner(wired: bool) -> String {
    if wired {
        // Standard input and output are the wire; what the student's code prints goes nowhere.
        "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null".to_owned()
    } else {
        "echo sandbox; exec \"$@\"".to_owned()
    }
}

fn drop_rights(uid: u32) -> Vec<String> {
    vec![
        "/usr/bin/setpriv".to_owned(),
        format!("--reuid={uid}"),
        format!("--regid={uid}"),
        "--clear-groups".to_owned(),
        "--inh-caps=-all".to_owned(),
        "--bounding-set=-all".to_owned(),
        "--no-new-privs".to_owned(),
    ]
}

fn prlimit(limits: Limits, others: u32) -> Vec<String> {
    let megabytes = |count: u32| u64::from(count) << 20;
    vec![
        "/usr/bin/prlimit".to_owned(),
        format!("--cpu={}:{}", limits.cpu, limits.cpu + 1),
        format!("--as={}", megabytes(limits.memory)),
        format!("--nproc={}", limits.processes + others),
        format!("--fsize={}", megabytes(limits.file)),
        "--core=0".to_owned(),
        "--nofile=256".to_owned(),
    ]
}

/// No sandbox: the wire, and what limits the system has.
fn unconfined(task: &Task<'_>) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(inner(task.wired)).arg("sh");
    if Path::new("/usr/bin/prlimit").exists() {
        let limits = Limits {
            // Those of the user's other programs count too.
            processes: 4096,
            ..task.limits
        };
        command.args(prlimit(limits, 0));
    }
    for word in &task.argv {
        command.arg(outside(task, word));
    }
    let cwd = outside(task, &OsString::from(task.cwd));
    command.current_dir(cwd);
    command
}

/// The path outside of a path inside, where there is no inside.
fn outside(task: &Task<'_>, word: &OsString) -> OsString {
    let text = word.to_string_lossy();
    let out = task.out.map(|out| (out.to_path_buf(), "/out"));
    for (outside, inside) in task.mounts.iter().cloned().chain(out) {
        // Such as `--extern name=/student/lib.rlib`.
        if let Some((head, rest)) = text.split_once(inside)
            && (head.is_empty() || head.ends_with('='))
            && (rest.is_empty() || rest.starts_with('/'))
        {
            let mut word = OsString::from(head);
            word.push(&outside);
            word.push(rest);
            return word;
        }
    }
    word.clone()
}

/// A path as one word of a shell script.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"))
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain(["/usr/bin", "/bin", "/usr/local/bin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// Podman and docker, with an image that has nothing in it but the places where the system is mounted.
mod container {
    use super::{Command, Path, Sandbox, Stdio, TMP, Task, inner, prlimit, user_of};
    use std::io::Write as _;

    const IMAGE: &str = "localhost/moments-grader-empty:1";

    /// Makes the empty image if it is not there.
    pub(super) fn image(engine: &Path) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", engine.display());
        let there = Command::new(engine)
            .args(["image", "inspect", IMAGE])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(&error))?;
        if there.status.success() {
            return Ok(());
        }
        let mut import = Command::new(engine)
            .args(["import", "-", IMAGE])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        if let Some(mut input) = import.stdin.take() {
            // An empty archive is two blocks of zeros; a folder keeps docker from refusing it.
            let _ = input.write_all(&archive());
        }
        let output = import.wait_with_output().map_err(|error| failed(&error))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said
            .lines()
            .last()
            .unwrap_or("it ended without a word")
            .to_owned();
        Err(format!(
            "{}: the empty image cannot be made: {last}",
            engine.display()
        ))
    }

    /// A tar archive with one folder, `tmp/`.
    fn archive() -> Vec<u8> {
        let mut header = [0u8; 512];
        header[..4].copy_from_slice(b"tmp/");
        header[100..107].copy_from_slice(b"0001777");
        header[108..115].copy_from_slice(b"0000000");
        header[116..123].copy_from_slice(b"0000000");
        header[124..135].copy_from_slice(b"00000000000");
        header[136..147].copy_from_slice(b"00000000000");
        header[156] = b'5';
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut archive = header.to_vec();
        archive.resize(512 * 3, 0);
        archive
    }

    pub(super) fn command(engine: &Path, sandbox: &Sandbox, task: &Task<'_>) -> Command {
        let mut command = Command::new(engine);
        let uid = user_of(task.slot);
        command
            .args(&sandbox.before)
            .args(["run", "--rm", "-i", "--network=none", "--read-only"]);
        command.args(["--cap-drop=ALL", "--security-opt=no-new-privileges"]);
        command.args(["--log-driver=none", "--hostname=sandbox", "--shm-size=1m"]);
        if engine.ends_with("podman") {
            // Its own writable places have no bound.
            command.arg("--read-only-tmpfs=false");
        }
        // What `prlimit` sets inside; some engines start with more than a machine lets them have.
        command.args(["--ulimit=nofile=256:256", "--ulimit=nproc=128:128"]);
        command.arg(format!("--user={uid}:{uid}"));
        // The processes that the engine and the shell need come on top; `prlimit` holds the exact number.
        command.arg(format!("--pids-limit={}", task.limits.processes + 8));
        command.arg(format!("--memory={}m", task.limits.memory + 64));
        command.arg(format!(
            "--tmpfs=/tmp:size={TMP},mode=1777,nosuid,nodev,exec"
        ));
        command.args(["--env=PATH=/usr/bin", "--volume=/usr:/usr:ro"]);
        for (path, _) in &sandbox.system {
            // A link is followed outside; mounted, it is a folder inside.
            command.arg(format!("--volume={0}:{0}:ro", path.display()));
        }
        for (outside, inside) in &task.mounts {
            command.arg(format!("--volume={}:{inside}:ro", outside.display()));
        }
        if let Some(out) = task.out {
            command.arg(format!("--volume={}:/out", out.display()));
        }
        command.arg(format!("--workdir={}", task.cwd));
        command.args([
            "--entrypoint=/bin/sh",
            IMAGE,
            "-c",
            // The shell stays: signals do not end the first process of a container as they end others.
            &format!("{}; exit $?", inner(task.wired).replace("exec ", "")),
            "sh",
        ]);
        command.args(prlimit(task.limits, 2)).args(&task.argv);
        command
    }
}
